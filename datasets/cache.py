"""The decoded-image cache: every image decoded once, into one memory-mapped file that all trials of a node share."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets.decoding import check_room, decode_all, in_order
from datasets.errors import DataError
from datasets.folders import finished_folder
from datasets.images import Pixels

_LAYOUT = 2  # raise it when decoding changes: older caches are then built anew


@dataclass(frozen=True)
class ImageCache:
    """A folder with `images.u8`, N x size x size x 3 in row order, and `cache.json`."""

    folder: Path
    count: int
    image_size: int
    unreadable: tuple[tuple[int, str], ...]  # (row, reason); their pixels are zero

    @property
    def bytes(self) -> int:
        return self.count * self.image_size**2 * 3

    def open(self) -> Pixels:
        """Return the images, memory-mapped and read-only; closed when the last view is gone.

        Raises:
            DataError: the file is not as long as it must be.
        """
        path = self.folder / "images.u8"
        if path.stat().st_size != self.bytes:
            raise DataError(f"{path}: was cut or changed; start again, it is then built anew")
        return np.memmap(path, np.uint8, "r", shape=(self.count, self.image_size, self.image_size, 3))


def load_cache(folder: Path) -> ImageCache:
    """Return the cache that lies in a folder.

    Raises:
        DataError: it is not there, or damaged.
    """
    try:
        facts = json.loads((folder / "cache.json").read_text(encoding="utf-8"))
        unreadable = tuple((int(row), str(reason)) for row, reason in facts["unreadable"])
        return ImageCache(folder, facts["count"], facts["image_size"], unreadable)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder}: holds no decoded images ({error}); start again, they are then decoded anew"
        ) from None


def is_whole(folder: Path) -> bool:
    """Tell whether a folder holds a cache from which right pixels can be read."""
    try:
        load_cache(folder).open()
    except (DataError, OSError):
        return False
    return True


def build_cache(
    paths: Sequence[Path], image_size: int, root: Path, progress: Callable[[int, int], None] | None = None
) -> ImageCache:
    """Return the cache of these images at this size, decoded now unless it is there.

    It is keyed by the images' content, so changed images make a new cache; one that was cut is built
    anew. Unreadable images are all found in one pass and listed in the cache.

    Raises:
        DataError: `root` cannot be written, or has too little room.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digest = hashlib.sha256(f"{_LAYOUT}/{image_size}".encode())
        for one in in_order(pool, _content, paths):
            digest.update(one)
        target = root / f"images-{image_size}px-{digest.hexdigest()[:32]}"
        with finished_folder(target, is_whole) as folder:
            if folder is not None:
                check_room(folder, len(paths) * image_size**2 * 3)
                unreadable = decode_all(pool, paths, image_size, folder / "images.u8", progress)
                _write_facts(folder / "cache.json", count=len(paths), image_size=image_size, unreadable=unreadable)
    return load_cache(target)


def _content(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b"unreadable"


def _write_facts(path: Path, **facts: Any) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())
