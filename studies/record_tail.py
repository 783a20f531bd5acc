"""Follow a record while a driver writes it: every whole line once, as it comes."""

import os
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from studies.events import Event, parse_event
from studies.record import check_format

_HEAD = 256  # bytes by which a record is known again: its first line begins with the moment of its first launch


class RecordTail:
    """Reads a record from its beginning, then what has been added since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0  # bytes
        self._known: tuple[int, bytes] | None = None  # inode and first bytes of what was read
        self.lines = 0
        self.damaged: list[int] = []  # the numbers of lines that cannot be read

    @property
    def was_replaced(self) -> bool:
        """Tell whether another record lies in the place of the one that was read: a study begun anew, or a repair."""
        if self._known is None:
            return False
        try:
            with open(self._path, "rb") as file:
                inode, head = self._identity(file)
                shorter = os.fstat(file.fileno()).st_size < self._read
        except FileNotFoundError:
            return True
        return shorter or inode != self._known[0] or not head.startswith(self._known[1])

    def new_events(self) -> list[Event]:
        """Return the events of the lines that are whole and were not read before; none without a record.

        Raises:
            RecordError: it is of a later version.
        """
        try:
            with open(self._path, "rb") as file:
                self._known = self._known or self._identity(file)
                file.seek(self._read)
                whole, newline, _ = file.read().rpartition(b"\n")
        except FileNotFoundError:
            return []
        events = [event for line in whole.split(b"\n") if line and (event := self._parsed(line)) is not None]
        self._read += len(whole) + len(newline)
        return events

    def _identity(self, file: BinaryIO) -> tuple[int, bytes]:
        return os.fstat(file.fileno()).st_ino, file.read(_HEAD)

    def _parsed(self, line: bytes) -> Event | None:
        self.lines += 1
        check_format(self._path, self.lines, line)
        try:
            return parse_event.validate_json(line)
        except ValidationError:
            self.damaged.append(self.lines)
            return None
