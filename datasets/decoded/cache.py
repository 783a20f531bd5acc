"""The decoded-image cache: every image decoded once, into one memory-mapped file that all trials of a node share."""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.decoded.decoding import check_room, decode_all, hashed, in_order
from datasets.errors import DataError
from datasets.images import Form, Pixels, Resize
from storage.json_text import load_json
from storage.rebuilt_folder import finished_folder

_LAYOUT = 3  # raise it when decoding changes: older caches are then built anew
_SAMPLED = 64  # images that tell whether a file is still what was written


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
        DataError: it is not there, or not what its description says.
    """
    try:
        facts = load_json((folder / "cache.json").read_text(encoding="utf-8"))
        unreadable = tuple((int(row), str(reason)) for row, reason in facts["unreadable"])
        cache = ImageCache(folder, int(facts["count"]), int(facts["image_size"]), unreadable)
        whole = fingerprint(cache.open()) == facts["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder}: holds no decoded images ({error}); start again, they are then decoded anew"
        ) from None
    if not whole:
        raise DataError(f"{folder}: the decoded images were changed; start again, they are then decoded anew")
    return cache


def fingerprint(images: Pixels) -> str:
    """Return a hash of images all over the file: enough to see pages that never reached the disk."""
    return hashlib.sha256(images[:: max(1, len(images) // _SAMPLED)].tobytes()).hexdigest()


def is_whole(folder: Path) -> bool:
    """Tell whether a folder holds a cache from which right pixels can be read."""
    try:
        load_cache(folder)
    except DataError:
        return False
    return True


def build_cache(
    paths: Sequence[Path],
    image_size: int,
    root: Path,
    progress: Callable[[int, int], None] | None = None,
    resize: Resize = "squeeze",
) -> ImageCache:
    """Return the cache of these images at this size, decoded now unless it is there.

    It is keyed by the images' content, so changed images make a new cache; one that was cut is built
    anew. Unreadable images are all found in one pass and listed in the cache.

    Raises:
        DataError: `root` cannot be written, or has too little room; or an image changed meanwhile.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        digest = hashlib.sha256(f"{_LAYOUT}/{image_size}/{resize}".encode())
        files = list(in_order(pool, hashed, paths))
        for file in files:
            digest.update(file.content)
        target = root / f"images-{image_size}px-{digest.hexdigest()[:32]}"
        with finished_folder(target, is_whole) as folder:
            if folder is not None:
                check_room(folder, len(paths) * image_size**2 * 3)
                unreadable = decode_all(pool, files, Form(image_size, resize), folder / "images.u8", progress)
                _describe(ImageCache(folder, len(paths), image_size, tuple(unreadable)))
    return load_cache(target)


def _describe(cache: ImageCache) -> None:
    facts = {
        "count": cache.count,
        "image_size": cache.image_size,
        "unreadable": cache.unreadable,
        "fingerprint": fingerprint(cache.open()),
    }
    with open(cache.folder / "cache.json", "w", encoding="utf-8") as file:
        json.dump(facts, file)
        file.flush()
        os.fsync(file.fileno())
