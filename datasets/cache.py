"""The decoded-image cache: every image decoded once, into one memory-mapped file that all trials share."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datasets.errors import DataError
from datasets.folders import finished_folder
from datasets.images import Pixels, UnreadableImage, read_image

_LAYOUT = 1  # raise it when decoding changes: older caches are then built anew


@dataclass(frozen=True)
class ImageCache:
    """A folder with `images.u8`, N x size x size x 3 in row order, and `cache.json`."""

    folder: Path
    count: int
    image_size: int
    unreadable: tuple[tuple[int, str], ...]  # (row, reason); their pixels are zero

    def open(self) -> Pixels:
        """Return the images, memory-mapped and read-only; closed when the last view is gone.

        Raises:
            DataError: the file is not as long as it must be.
        """
        path, shape = self.folder / "images.u8", (self.count, self.image_size, self.image_size, 3)
        if path.stat().st_size != int(np.prod(shape)):
            raise DataError(f"{path}: was cut or changed; delete {self.folder} and start again, it is then built anew")
        return np.memmap(path, np.uint8, "r", shape=shape)


def load_cache(folder: Path) -> ImageCache:
    """Return the cache that lies in a folder."""
    facts = json.loads((folder / "cache.json").read_text(encoding="utf-8"))
    unreadable = tuple((int(row), str(reason)) for row, reason in facts["unreadable"])
    return ImageCache(folder, facts["count"], facts["image_size"], unreadable)


def build_cache(
    paths: Sequence[Path], image_size: int, root: Path, progress: Callable[[int, int], None] | None = None
) -> ImageCache:
    """Return the cache of these images at this size, decoded now unless it is there.

    It is keyed by the images' content, so changed images make a new cache. Unreadable images are all
    found in one pass and listed in the cache.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digest = hashlib.blake2b(f"{_LAYOUT}/{image_size}".encode(), digest_size=16)
        for one in pool.map(_content, paths):
            digest.update(one)
        target = root / f"images-{image_size}px-{digest.hexdigest()}"
        with finished_folder(target) as folder:
            if folder is not None:
                _decode_all(pool, paths, image_size, folder, progress)
    return load_cache(target)


def _content(path: Path) -> bytes:
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
    except OSError:
        return b"unreadable"


def _decode_all(
    pool: ThreadPoolExecutor,
    paths: Sequence[Path],
    size: int,
    folder: Path,
    progress: Callable[[int, int], None] | None,
) -> None:
    images: Pixels = np.memmap(folder / "images.u8", np.uint8, "w+", shape=(len(paths), size, size, 3))
    unreadable: list[tuple[int, str]] = []

    def decode(row: int) -> None:
        try:
            images[row] = read_image(paths[row], size)
        except UnreadableImage as error:
            unreadable.append((row, str(error)))

    for done, _ in enumerate(pool.map(decode, range(len(paths))), 1):
        if progress:
            progress(done, len(paths))
    images.flush()  # type: ignore[attr-defined]
    facts: dict[str, Any] = {"count": len(paths), "image_size": size, "unreadable": sorted(unreadable)}
    (folder / "cache.json").write_text(json.dumps(facts), encoding="utf-8")
