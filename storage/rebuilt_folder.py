"""Folders that are either whole or not there: written under a temporary name, then renamed."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

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
        lock = open(target.with_name(f".{target.name}.lock"), "w", encoding="utf-8")
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
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
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


def _sweep(folder: Path, own: str) -> None:
    """Delete what killed builds have left: temporary folders whose lock is ours (`own`) or nobody's."""
    for path in folder.glob(".*.lock"):
        name = path.name.removeprefix(".").removesuffix(".lock")
        with open(path, "w", encoding="utf-8") as lock, suppress(BlockingIOError):
            if name != own:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for left in folder.glob(f".{name}.*/"):
                shutil.rmtree(left, ignore_errors=True)
