"""Free space, looked at before anything is written: what is half written when a disk fills up helps nobody. Needs no torch."""

import errno
import os
import shutil
from pathlib import Path

RESERVED_BYTES = 256 * 2**20  # a state of a large model with its optimizer; the record needs a few bytes of it too


class DiskFull(OSError):
    """There is too little free space to go on writing safely."""


def check_free_space(folder: Path) -> None:
    """Check that a state or a fold's weights still fit.

    Raises:
        DiskFull: less than `RESERVED_BYTES` are free.
    """
    free = shutil.disk_usage(folder).free
    if free < RESERVED_BYTES:
        message = f"only {free / 2**20:.0f} MiB are free, {RESERVED_BYTES / 2**20:.0f} MiB are kept"
        raise DiskFull(errno.ENOSPC, message, str(folder))


def check_writable(folder: Path) -> None:
    """Check that a folder takes a file, as large as a state, and gives it to the disk.

    Raises:
        OSError: it does not.
    """
    check_free_space(folder)
    place = folder / ".writable.torn"
    try:
        with open(place, "wb") as file:
            file.write(bytes(4096))
            file.flush()
            os.fsync(file.fileno())
    finally:
        place.unlink(missing_ok=True)


def is_full(error: BaseException) -> bool:
    """Tell whether an error says that a disk is full; libraries of other languages say it in words alone."""
    return getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
