"""The launch lock of a study: one launch works on it at a time. The kernel's lock, and a lease where that holds nobody off."""

import fcntl
import logging
import time
import uuid
from pathlib import Path

from storage.regular import OddFile, open_regular
from studies.errors import RecordError
from studies.lease import PATIENCE, Holder, Lease, read_holder

logger = logging.getLogger(__name__)
_FRESH = 5 * PATIENCE  # seconds after which a reader takes the lease of another host for left behind


class StudyLock:
    """The exclusive right to work on a study, until it is released or its process dies; `launch` is its id."""

    def __init__(self, study_folder: Path) -> None:
        """Take the lock.

        Raises:
            RecordError: another launch has it.
        """
        self.launch = uuid.uuid4().hex[:12]
        self._file = open(study_folder / "lock", "a+", encoding="utf-8")
        self._lease = Lease(_lease_path(study_folder), Holder.of_this_process(self.launch))
        locked = self._locked()
        holder = self._lease.take(told=_tell) if locked else read_holder(_lease_path(study_folder))
        if holder is not None or not locked:
            self._file.close()
            who = "" if holder is None else f" (process {holder.process} on {holder.host.split()[0]})"
            raise RecordError(
                f"{study_folder}: another launch{who} is working on this study; wait for it, stop it, or take another name"
                " with --study"
            )

    def _locked(self) -> bool:
        """Take the kernel's lock; a reader that asks whether it is held holds it itself for a moment, which is waited for."""
        for wait in (0.05, 0.1, 0.0):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(wait)
            except OSError:  # a file system without locks: the lease decides
                return True
            else:
                return True
        return False

    def release(self) -> None:
        """Let another launch begin."""
        self._lease.release()
        self._file.close()


def _tell(holder: Holder) -> None:
    logger.warning(
        "A launch on %s has left its lease here; waiting %.0f s to see whether it is still at work.",
        holder.host.split()[0],
        PATIENCE,
    )


def _lease_path(study_folder: Path) -> Path:
    return study_folder / "lease.json"


def may_be_held(study_folder: Path) -> bool:
    """Tell whether a launch may work on the study: also one on another host whose clock cannot be compared with this one's."""
    holder = read_holder(_lease_path(study_folder))
    return _is_locked(study_folder) or (holder is not None and not holder.is_gone())


def is_held(study_folder: Path) -> bool:
    """Tell whether a launch works on the study at this moment."""
    return running_launch(study_folder) is not None


def running_launch(study_folder: Path) -> str | None:
    """Return the id of the launch that works on the study; None: nobody does. Unknown until it has written its lease: ''."""
    holder = read_holder(_lease_path(study_folder))
    if _is_locked(study_folder):
        return "" if holder is None else holder.launch
    if holder is None:
        return None
    gone = holder.is_gone()
    return None if gone or (gone is None and not _is_fresh(study_folder)) else holder.launch


def _is_locked(study_folder: Path) -> bool:
    try:
        with open_regular(study_folder / "lock") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except (OSError, OddFile):
        return False
    return False


def _is_fresh(study_folder: Path) -> bool:
    """Tell whether a lease was renewed lately: for what is shown, nothing else depends on it."""
    try:
        return time.time() - _lease_path(study_folder).stat().st_mtime < _FRESH
    except OSError:
        return False
