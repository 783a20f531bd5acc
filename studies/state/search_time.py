"""The seconds of search that a study has taken, over all launches: what a time budget counts.

Since format 5 the driver counts them by a monotonic clock and writes them with every event. Formats 1 to 4 had only the time of
day, which somebody may set: there a gap between two events counts for no more than an epoch can have taken.
"""

from studies.record.events import EpochScored, Event, Launched

START = 60.0  # seconds that a process may take to begin, beyond the longest epoch so far


class SearchTime:
    """Adds up the search time of a study, event by event."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.of_launch = 0.0  # seconds of search when the last launch began
        self._last: float | None = None  # time of day of the last event; None outside a launch
        self._longest = 0.0  # seconds of an epoch

    def take(self, event: Event) -> None:
        """Take one event in."""
        if isinstance(event, EpochScored):
            self._longest = max(self._longest, event.seconds)
        if event.elapsed is not None:
            self.seconds = max(self.seconds, event.elapsed)
        elif self._last is not None and not isinstance(event, Launched):
            self.seconds += min(max(0.0, event.time - self._last), self._longest + START)
        if isinstance(event, Launched):
            self.of_launch, self._last = self.seconds, event.time
        elif self._last is not None:
            self._last = event.time
