"""Files that are either the old ones or the new ones: written under a temporary name, synced, renamed, the folder synced.

Without the last step a rename is in memory only: after a power failure the old name, or none, may be there although
something written later is.
"""

import os
from collections.abc import Callable
from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Put a text in the place of a file."""
    write_file(path, path.with_name(f".{path.name}.torn"), lambda temporary: temporary.write_text(text, "utf-8"))


def write_file(
    path: Path,
    temporary: Path,
    write: Callable[[Path], object],
    may_replace: Callable[[], None] = lambda: None,
) -> None:
    """Have `write` make a temporary file beside `path`, and put it in its place once the disk has it.

    `may_replace` is asked last and raises if the file must not be replaced any more; nothing is left behind then.
    """
    try:
        write(temporary)
        sync(temporary)
        may_replace()
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, each of their names on the disk."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for folder in reversed(missing):
        sync(folder.parent)


def sync(path: Path) -> None:
    """Wait until the disk has a file's content, or a folder's names."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_folder(temporary: Path, path: Path) -> None:
    """Give a finished folder its name once the disk has all that is in it."""
    os.sync()  # one call for any number of files; syncing thousands of images one by one takes minutes
    temporary.rename(path)
    sync(path.parent)
