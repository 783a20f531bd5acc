"""Folders that are either whole or not there: written under a temporary name, then renamed."""

import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from storage.atomic import put_folder


class StorageError(ValueError):
    """A folder that cannot be written; the message names the way out."""


def cache_root() -> Path:
    """Return the folder of everything that can be made again: $FOLDRACE_CACHE, or one under the user's cache."""
    stated = os.environ.get("FOLDRACE_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return Path(stated) if stated else base / "foldrace"


@contextmanager
def finished_folder(target: Path, is_whole: Callable[[Path], bool] = Path.exists) -> Iterator[Path | None]:
    """Yield a temporary folder that becomes `target` when the block ends well, or None if `target` is there and whole.

    Others that want the same folder wait; a block that raises or is killed leaves no `target`, and what
    a killed one has left beside it is swept away.

    Raises:
        StorageError: the place cannot be written, or its disk is full.
    """
    if is_whole(target):
        yield None
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock_file(target.with_name(f".{target.name}.lock"))
    except OSError as error:
        raise StorageError(
            f"{target.parent}: cannot write the cache ({error.strerror}); set FOLDRACE_CACHE to a folder you can write"
        ) from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_whole(target):
            yield None
            return
        _sweep(target.parent, own=target.name)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
        try:
            temporary.mkdir()  # with the rights that the user gives folders: a group may share the cache
            yield temporary
            shutil.rmtree(target, ignore_errors=True)
            put_folder(temporary, target)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise StorageError(
                f"{target.parent}: the disk is full; make room, or set FOLDRACE_CACHE to a folder on another disk"
            ) from None
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _lock_file(path: Path) -> BinaryIO:
    """Open a file to be locked, which takes no right to write: another of a group may have made it."""
    return open(os.open(path, os.O_RDONLY | os.O_CREAT, 0o666), "rb")


def _sweep(folder: Path, own: str) -> None:
    """Delete what killed builds have left: temporary folders whose lock is ours (`own`) or nobody's."""
    for path in folder.glob(".*.lock"):
        name = path.name.removeprefix(".").removesuffix(".lock")
        with suppress(BlockingIOError, PermissionError), _lock_file(path) as lock:
            if name != own:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in folder.glob(f".{name}.*/"):
                shutil.rmtree(left, ignore_errors=True)
