"""`record.jsonl`: the append-only log from which everything else about a study is derived.

Only the driver writes it. An event is on the disk before `append` returns, so nothing can depend on
an event that a crash takes back. A crash inside an append leaves a torn last line: opening a
`Record` cuts it off, under the launch lock.
"""

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from pydantic import ValidationError

from storage.atomic import sync
from studies.events import READABLE_FORMATS, RECORD_FORMAT, Event, parse_event

logger = logging.getLogger(__name__)


class RecordError(ValueError):
    """A record that cannot be opened or trusted."""


class StudyLock:
    """An exclusive lock on a study folder that the kernel lets go of when its holder dies."""

    def __init__(self, study_folder: Path) -> None:
        self._file = open(study_folder / "lock", "a+", encoding="utf-8")
        if not self._taken():
            self._file.seek(0)
            holder = self._file.read().partition(" ")[0].strip() or "unknown"
            self._file.close()
            raise RecordError(
                f"{study_folder}: another launch (process {holder}) is working on this study;"
                " wait for it, stop it, or take another name with --study"
            )
        self._file.truncate(0)
        self._file.write(f"{os.getpid()} {time.time()}\n")
        self._file.flush()

    def _taken(self) -> bool:
        """Take the lock; a reader that asks whether it is held holds it itself for a moment, which is waited for."""
        for wait in (0.05, 0.1, 0.0):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(wait)
            else:
                return True
        return False

    def release(self) -> None:
        self._file.close()

    @staticmethod
    def is_held(study_folder: Path) -> bool:
        """Tell whether a launch works on the study at this moment."""
        return StudyLock.held_since(study_folder) is not None

    @staticmethod
    def held_since(study_folder: Path) -> float | None:
        """Return when the launch that works on the study began, in seconds since 1970; None: nobody does."""
        try:
            with open(study_folder / "lock", encoding="utf-8") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return _taken_at(study_folder / "lock")
        return None


def _taken_at(lock: Path) -> float:
    """Return when a lock was taken, by its holder's clock; by the file system's where it does not say."""
    try:
        return float(lock.read_text(encoding="utf-8").split()[1])
    except (IndexError, ValueError):
        return lock.stat().st_mtime


class Record:
    """The open record of one study; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.events = list(read_record(path)) if path.exists() else []
        _cut_torn_line(path)
        self._file = open(path, "ab", buffering=0)  # a failed write must leave nothing behind in a buffer
        sync(path.parent)  # the record's name, if it is new

    def append(self, event: Event) -> None:
        """Write one event and wait until the disk has it.

        Raises:
            OSError: the disk is full or gone; the record then holds whole events only.
        """
        line = event.model_dump_json().encode() + b"\n"
        start = self.path.stat().st_size
        try:
            while line:
                line = line[self._file.write(line) :]
            os.fsync(self._file.fileno())
        except OSError:
            os.truncate(self.path, start)
            raise
        self.events.append(event)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "Record":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def read_record(path: Path) -> Iterator[Event]:
    """Yield the events of a record, a torn last line left out; safe while a driver appends.

    Raises:
        RecordError: a whole line is damaged, or of a newer version; names it.
    """
    for number, event in _parsed(path):
        if event is None:
            raise RecordError(
                f"{path}: line {number} is damaged; python -m analysis.check {path.parent} says what can be read, and with"
                " --repair sets the rest aside and takes over what the trial folders know"
            )
        yield event


def readable_events(path: Path) -> tuple[list[Event], list[int]]:
    """Return the events that can be read, and the numbers of the lines that cannot; a torn last line is neither."""
    parsed = list(_parsed(path))
    return [event for _, event in parsed if event is not None], [number for number, event in parsed if event is None]


def _parsed(path: Path) -> Iterator[tuple[int, Event | None]]:
    for number, line in enumerate(path.read_bytes().split(b"\n")[:-1], 1):
        check_format(path, number, line)
        try:
            yield number, parse_event.validate_json(line)
        except ValidationError:
            yield number, None


def check_format(path: Path, number: int, line: bytes) -> None:
    """Refuse the lines of a later version before anything else is made of them.

    Raises:
        RecordError: a launch of a later version was noted in this line.
    """
    if not (line.startswith(b'{"time"') and b'"event":"launched"' in line):
        return
    try:
        found = json.loads(line).get("format", RECORD_FORMAT)
    except ValueError:
        return  # damaged, which is another matter
    if found not in READABLE_FORMATS:
        raise RecordError(
            f"{path}: line {number} is of format {found}, this version of Foldrace reads formats up to {RECORD_FORMAT};"
            " go on with the version that wrote it"
        )


def _cut_torn_line(path: Path) -> None:
    if not path.exists():
        return
    whole = path.read_bytes().rfind(b"\n") + 1
    if whole < path.stat().st_size:
        logger.warning("%s: cut a torn last line off, left by a crash", path)
        os.truncate(path, whole)
