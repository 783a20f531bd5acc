"""Follow a record while a driver writes it: every whole line once, as it comes."""

import os
from pathlib import Path
from typing import BinaryIO

from storage.regular import TABLE, open_regular
from studies.record.events import Event
from studies.record.record_lines import RecordLines

_MARK = 256  # bytes at either end of what was read by which a record is known again

_Identity = tuple[int, bytes, bytes]  # inode, first and last bytes of what was read


class RecordTail:
    """Reads a record from its beginning, then what has been added since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0  # bytes
        self._known: _Identity | None = None
        self._parsed = RecordLines(path)

    @property
    def lines(self) -> int:
        """Return how many lines were read."""
        return self._parsed.read

    @property
    def damaged(self) -> list[int]:
        """Return the numbers of the lines that cannot be read."""
        return self._parsed.damaged

    def new_events(self) -> list[Event] | None:
        """Return the events of the lines that are whole and were not read before; none without a record.

        None: another record lies in the place of the one that was read, of a study begun anew or of a repair; begin with
        another tail.

        Raises:
            RecordError: it is of a later version.
        """
        try:
            with open_regular(self._path, TABLE) as file:
                if self._known not in (None, self._identity(file)):
                    return None
                file.seek(self._read)
                whole, newline, _ = file.read().rpartition(b"\n")
                self._read += len(whole) + len(newline)
                self._known = self._identity(file)
        except FileNotFoundError:
            return [] if self._known is None else None
        return [event for line in whole.split(b"\n") if line for event in self._parsed.events(line)]

    def _identity(self, file: BinaryIO) -> _Identity:
        """Return what stays the same while lines are added; an inode alone may be given to the next file."""
        mark = min(_MARK, self._read)
        file.seek(0)
        begin = file.read(mark)
        file.seek(self._read - mark)
        return os.fstat(file.fileno()).st_ino, begin, file.read(mark)
