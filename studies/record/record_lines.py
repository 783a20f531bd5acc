"""From lines of a record to events: one reader for whole records, records with damage, and records that grow."""

from pathlib import Path

from pydantic import ValidationError

from storage.json_text import load_json
from studies.errors import RecordError
from studies.record.events import READABLE_FORMATS, RECORD_FORMAT, Event, parse_event
from studies.record.former_formats import FormerFormats


class RecordLines:
    """Parses the lines of one record in their order."""

    def __init__(self, path: Path) -> None:
        self._path, self._former = path, FormerFormats()
        self.read = 0  # lines
        self.damaged: list[int] = []  # the numbers of lines that cannot be read

    def events(self, line: bytes) -> list[Event]:
        """Return the events of the next line: one, or what a line of a former format amounts to; none if it is damaged.

        Raises:
            RecordError: a launch of a later version was noted in this line.
        """
        self.read += 1
        self._check_format(line)
        try:
            event = parse_event.validate_json(line)
        except ValidationError:
            return self._former_events(line)
        self._former.see(event)
        return [event]

    def _former_events(self, line: bytes) -> list[Event]:
        try:
            return list(self._former.events(line))
        except ValueError:
            self.damaged.append(self.read)
            return []

    def _check_format(self, line: bytes) -> None:
        """Refuse the lines of a later version before anything else is made of them."""
        if not (line.startswith(b'{"time"') and b'"event":"launched"' in line):
            return
        try:
            found = load_json(line).get("format", RECORD_FORMAT)
        except ValueError:
            return  # damaged, which is another matter
        if found not in READABLE_FORMATS:
            raise RecordError(
                f"{self._path}: line {self.read} is of format {found}, this version of Foldrace reads formats up to"
                f" {RECORD_FORMAT}; go on with the version that wrote it"
            )
