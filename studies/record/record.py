"""`record.jsonl`: the append-only log from which everything else about a study is derived.

Only the driver writes it. An event is on the disk before `append` returns, so nothing can depend on
an event that a crash takes back. A crash inside an append leaves a torn last line: opening a
`Record` cuts it off, under the launch lock. Before every append the file must be as this driver left it: where a lock does not
hold two launches apart, the second one that appends finds out here.
"""

import logging
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType

from storage.atomic import sync
from storage.regular import TABLE, read_regular
from studies.errors import RecordError, RecordTakenError, check_command
from studies.record.events import Event
from studies.record.record_lines import RecordLines

logger = logging.getLogger(__name__)
__all__ = ["Record", "RecordError", "read_record", "readable_events"]


class Record:
    """The open record of one study; use as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = self._opened()
        self._doubtful: bytes | None = None  # a line of which a part may have been written
        self._file.seek(0)
        content = self._file.read()
        self._end = content.rfind(b"\n") + 1  # what is read here is what this driver knows: the fence begins there
        self.events = list(_events_of(path, content[: self._end]))
        if self._end < len(content):
            self._check_still_ours(len(content))
            logger.warning("%s: cut a torn last line off, left by a crash", path)
            os.ftruncate(self._file.fileno(), self._end)
        sync(path.parent)  # the record's name, if it is new

    def _opened(self) -> FileIO:
        if self.path.exists() and not self.path.is_file():
            raise RecordError(f"{self.path}: is no regular file; put the study's record there")
        return open(self.path, "a+b", buffering=0)  # a failed write must leave nothing behind in a buffer

    def append(self, event: Event) -> None:
        """Write one event and wait until the disk has it.

        Whoever tries again after an error appends to a record that is opened anew and read back: what the system keeps of a file
        whose sync failed says nothing of the disk.

        Raises:
            RecordTakenError: another launch has written to the record, or has put another in its place.
            OSError: the disk is full or gone; the record then holds whole events only, or a part of this one.
        """
        if self._doubtful is not None:
            self._read_back(self._doubtful)
        self._check_still_ours(self._end)
        line = event.model_dump_json().encode() + b"\n"
        rest = line
        try:
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._doubtful = line
            if os.fstat(self._file.fileno()).st_size <= self._end + len(line):  # nobody else has written beyond
                os.ftruncate(self._file.fileno(), self._end)
            raise
        self._end += len(line)
        self.events.append(event)

    def _read_back(self, line: bytes) -> None:
        """Open the record anew, and cut off what is there of a line that could not be written."""
        again = self._opened()
        ours, there = os.fstat(self._file.fileno()), os.fstat(again.fileno())
        again.seek(self._end)
        left = again.read()
        if (ours.st_dev, ours.st_ino) != (there.st_dev, there.st_ino) or not line.startswith(left):
            again.close()
            self._check_still_ours(self._end)  # another launch writes here
        self._file.close()
        self._file = again
        os.ftruncate(again.fileno(), self._end)
        os.fsync(again.fileno())
        self._doubtful = None

    def _check_still_ours(self, size: int) -> None:
        """Check that the record has this size and is still the file that was opened.

        It is opened anew for that: a network file system then asks the server.
        """
        ours = os.fstat(self._file.fileno())
        try:
            with open(self.path, "rb") as file:
                there = os.fstat(file.fileno())
        except FileNotFoundError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino) or there.st_size != size:
            raise RecordTakenError(
                f"{self.path}: another launch writes here, so this one stops; what it trained is in the trial folders."
                " Let the other go on, and see that no two launches share a study"
            )

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
    yield from _events_of(path, read_regular(path, TABLE))


def _events_of(path: Path, content: bytes) -> Iterator[Event]:
    lines = RecordLines(path)
    for line in _whole_lines(content):
        yield from lines.events(line)
        if lines.damaged:
            raise RecordError(
                f"{path}: line {lines.read} is damaged; {check_command(path.parent)} says what can be read, and"
                " with --repair sets the rest aside and takes over what the trial folders know"
            )


def readable_events(path: Path) -> tuple[list[Event], list[int]]:
    """Return the events that can be read, and the numbers of the lines that cannot; a torn last line is neither."""
    lines = RecordLines(path)
    events = [event for line in _whole_lines(read_regular(path, TABLE)) for event in lines.events(line)]
    return events, lines.damaged


def _whole_lines(content: bytes) -> list[bytes]:
    return content.split(b"\n")[:-1]
