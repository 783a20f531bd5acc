"""What goes wrong in a simulation, drawn from its seed: as many faults as it has, and then none any more."""

import errno
import os
import random
from pathlib import Path
from typing import Literal

from studies.record.events import Event
from studies.record.record import Record

Crash = Literal["before", "torn", "after"]  # the line of the record that was being written


class DriverKilled(BaseException):
    """The driver's process ends here, in the middle of whatever it does."""


class Faults:
    """Says, whenever something may go wrong, whether it does."""

    def __init__(self, seed: int, count: int) -> None:
        self._random = random.Random(seed)
        self.left = count
        self.log: list[str] = []  # what went wrong

    def strike(self, what: str, odds: float) -> bool:
        """Tell whether this goes wrong now."""
        if self.left == 0 or self._random.random() >= odds:
            return False
        self.left -= 1
        self.log.append(what)
        return True

    def choice(self, options: list[str]) -> str:
        """Return one of several ways to go wrong."""
        return self._random.choice(options)


class FaultyRecord(Record):
    """A record whose writer may be killed at every line, or whose storage may be out for a moment."""

    def __init__(self, path: Path, faults: Faults) -> None:
        super().__init__(path)
        self.faults = faults

    def append(self, event: Event) -> None:
        """Write one event, if nothing goes wrong."""
        if self.faults.strike("storage out", 0.003):
            raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))
        if self.faults.strike("driver killed", 0.004):
            self._be_killed(event)
        super().append(event)

    def _be_killed(self, event: Event) -> None:
        how = self.faults.choice(["before", "torn", "after"])
        if how == "after":
            super().append(event)
        elif how == "torn":
            with open(self.path, "ab") as file:
                file.write(event.model_dump_json().encode()[:-7])
        raise DriverKilled
