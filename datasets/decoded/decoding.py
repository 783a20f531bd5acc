"""Decode many images into one file: on all cores, a few in memory at a time, whatever their number."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from datasets.errors import DataError
from datasets.images import Form, Pixels, UnreadableImage, is_file_of_its_own, read_image

Progress = Callable[[int, int], None]
_AT_A_TIME = 256
_SPARE_BYTES = 64 * 2**20
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_UNREADABLE = b"unreadable"


@dataclass(frozen=True)
class ImageFile:
    """An image and the hash of its content."""

    path: Path
    content: bytes


def hashed(path: Path) -> ImageFile:
    """Return an image file with its hash."""
    return ImageFile(path, content_of(path))


def content_of(path: Path) -> bytes:
    """Return the hash of a file; one for all that cannot be read."""
    try:
        if not is_file_of_its_own(path):
            return _UNREADABLE
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return _UNREADABLE


def in_order(pool: ThreadPoolExecutor, work: Callable[[_Item], _Result], items: Sequence[_Item]) -> Iterator[_Result]:
    """Yield the result for every item in order, never more than a few ahead."""
    for start in range(0, len(items), _AT_A_TIME):
        yield from pool.map(work, items[start : start + _AT_A_TIME])


def check_room(folder: Path, needed: int) -> None:
    """Check that so many bytes fit on the disk of a folder.

    Raises:
        DataError: they do not; says what is needed and what is free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + _SPARE_BYTES:
        raise DataError(
            f"{folder.parent}: the decoded images need {needed / 2**20:,.0f} MiB, and {free / 2**20:,.0f} MiB are free"
            f" ({_SPARE_BYTES / 2**20:.0f} are kept); make room, or set FOLDRACE_CACHE to a folder on another disk"
        )


def decode_all(
    pool: ThreadPoolExecutor, files: Sequence[ImageFile], form: Form, target: Path, progress: Progress | None
) -> list[tuple[int, str]]:
    """Write every image in this form, three bytes a pixel, one after the other; return row and reason of the unreadable ones.

    They go through a file, since the pages of a memory map would count as this process's memory.

    Raises:
        DataError: an image has changed since it was hashed.
    """
    unreadable = []
    with open(target, "wb") as stream:
        for row, pixels in enumerate(in_order(pool, partial(_decoded, form=form), files)):
            if isinstance(pixels, UnreadableImage):
                unreadable.append((row, str(pixels)))
                pixels = np.zeros((form.size, form.size, 3), np.uint8)
            stream.write(pixels.tobytes())
            if progress:
                progress(row + 1, len(files))
        stream.flush()
        os.fsync(stream.fileno())
    return unreadable


def _decoded(file: ImageFile, form: Form) -> Pixels | UnreadableImage:
    try:
        decoded: Pixels | UnreadableImage = read_image(file.path, form.size, form.resize)
    except UnreadableImage as error:
        decoded = error
    if content_of(file.path) != file.content:
        raise DataError(f"{file.path}: changed while the images were decoded; start again once nothing writes there")
    return decoded
