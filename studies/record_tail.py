"""Follow a record while a driver writes it: every whole line once, as it comes."""

from pathlib import Path

from pydantic import ValidationError

from studies.events import Event, parse_event


class RecordTail:
    """Reads a record from its beginning, then what has been added since the last time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0  # bytes
        self.lines = 0
        self.damaged: list[int] = []  # the numbers of lines that cannot be read

    @property
    def was_replaced(self) -> bool:
        """Tell whether the record is shorter than what was read of it: another one lies there, or a repair was made."""
        return self._path.stat().st_size < self._read if self._path.exists() else self._read > 0

    def new_events(self) -> list[Event]:
        """Return the events of the lines that are whole and were not read before; none without a record."""
        if not self._path.exists():
            return []
        with open(self._path, "rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        return [event for line in whole.split(b"\n") if line and (event := self._parsed(line)) is not None]

    def _parsed(self, line: bytes) -> Event | None:
        self.lines += 1
        try:
            return parse_event.validate_json(line)
        except ValidationError:
            self.damaged.append(self.lines)
            return None
