"""Files that somebody else may have put there: regular ones alone, after links, and no larger than makes sense."""

import os
import stat
from io import BufferedReader
from pathlib import Path

TEXT = 64 * 2**20  # bytes of a file that people or we write by hand: a space, a manifest, what a study says of itself
TABLE = 2**30  # bytes of a table or a record
WEIGHTS = 4 * 2**30  # bytes of a model; none of an image classifier comes near


class OddFile(ValueError):
    """A pipe, a device, or a file of a size that no such file has."""


def open_regular(path: Path, most: int = TEXT) -> BufferedReader:
    """Open a regular file to be read.

    Raises:
        OddFile: it is none, or has more than `most` bytes: a pipe would be waited for, a device has no end.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode) or found.st_size > most:
        os.close(handle)
        size = f"has {found.st_size} bytes, more than {most}" if stat.S_ISREG(found.st_mode) else "is no regular file"
        raise OddFile(f"{path}: {size}; put the right file there")
    return open(handle, "rb")


def read_regular(path: Path, most: int = TEXT) -> bytes:
    """Return the content of a regular file (see `open_regular`)."""
    with open_regular(path, most) as file:
        return file.read()


def read_text(path: Path, most: int = TEXT) -> str:
    """Return the text of a regular file, in UTF-8 (see `open_regular`)."""
    return read_regular(path, most).decode("utf-8")
