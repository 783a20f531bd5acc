"""An outage of storage: how it is told from other errors, and waited for. Needs no torch.

A quota, a network mount or a disk that fails says nothing about what was to be written: it is written again once it works.
"""

import errno
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
logger = logging.getLogger(__name__)
PATIENCE = 600.0  # seconds that an outage is waited for
_FIRST, _LONGEST = 0.5, 15.0  # seconds before an action is tried again
_LOOK = 0.1  # seconds between two looks whether anybody still waits
_ERRNOS = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE, errno.EFBIG, errno.EMFILE, errno.ENFILE),
    *(errno.ENOLCK, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT, errno.ENOTCONN, errno.EREMOTEIO, errno.EACCES),
    *(errno.EUCLEAN, errno.EBADMSG, errno.ECONNABORTED, errno.ENOTDIR, errno.ELOOP, errno.EINTR),
    *(errno.EPERM, errno.EBUSY, errno.EAGAIN, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN),
}
_SHORT = re.compile(r"\d+ requested and \d+ written")  # by numpy, which does not say why
_WORDED = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")  # by libraries of other languages, and by wrappers


def is_outage(error: BaseException) -> bool:
    """Tell whether the operating system reported that storage failed, also where a library words the error itself."""
    if isinstance(error, StorageOutage):
        return True
    if isinstance(
        error, ConnectionRefusedError | ConnectionResetError | BrokenPipeError | ChildProcessError | FileNotFoundError
    ):
        return False
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _ERRNOS
    if _SHORT.search(str(error)):
        return True
    found = _WORDED.search(str(error))
    return found is not None and int(found[1] or found[2]) in _ERRNOS


class StorageOutage(OSError):
    """What was to be written or read of a study could not be: the storage is out."""


@contextmanager
def of_storage() -> Iterator[None]:
    """Name an operating system's error in this block, or of a function that it decorates, as an outage of storage.

    Raises:
        StorageOutage: there was one, whichever library worded it.
    """
    try:
        yield
    except Exception as error:
        gone = isinstance(error, FileNotFoundError)  # a mount that vanished: what is read and written here was there
        if isinstance(error, StorageOutage) or not (gone or is_outage(error)):
            raise
        raise StorageOutage(getattr(error, "errno", None) or _errno_of(error), str(error)) from error


def _errno_of(error: BaseException) -> int:
    found = _WORDED.search(str(error))
    return errno.EIO if found is None else int(found[1] or found[2])


def outlast(action: Callable[[], T], abandoned: Callable[[], bool] = lambda: False, patience: float = PATIENCE) -> T:
    """Return what an action returns, tried again, less and less often, for as long as an outage lasts.

    `abandoned` is asked in between whether nobody waits any more.

    Raises:
        OSError: it has lasted too long, or nobody waits; or the action's own error.
    """
    began: float | None = None
    for wait in _waits():
        try:
            result = action()
        except Exception as error:
            if not is_outage(error):
                raise
            if began is None:
                began = time.monotonic()
                logger.warning("storage: %s; the search waits for it, %.0f s at the most", error, patience)
            if abandoned() or time.monotonic() + wait > began + patience:
                raise
        else:
            if began is not None:
                logger.warning("storage: works again after %.0f s; the search goes on", time.monotonic() - began)
            return result
        _sleep(wait, abandoned)
    raise AssertionError("waits never end")


def _waits() -> Iterator[float]:
    wait = _FIRST
    while True:
        yield wait
        wait = min(2 * wait, _LONGEST)


def _sleep(seconds: float, abandoned: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not abandoned():
        time.sleep(_LOOK)
