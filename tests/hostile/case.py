"""A hostile file: its name, the function that makes it, and the function that reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Make = Callable[[Path], Path]  # makes the file below an empty folder, and returns what is read
Read = Callable[[Path], object]


@dataclass(frozen=True)
class Case:
    """A file, and its reader.

    `refused`: the reader must refuse it with an error of ours. Otherwise it may also read it, as what it is.
    """

    name: str
    make: Make
    read: Read
    refused: bool = True


def written(name: str, content: bytes | str) -> Make:
    """Return what makes a file with this content."""

    def make(place: Path) -> Path:
        file = place / name
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return make
