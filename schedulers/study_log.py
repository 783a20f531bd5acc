"""Every event of a launch: into the record, into the state, and to whoever listens."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from schedulers.disk.patience import Outlast
from studies.record.events import Event, Launched
from studies.record.record import Record
from studies.state.study_state import StudyState


class StudyLog:
    """Keeps a study's record and its state the same, and counts the seconds of search; `clock` never jumps.

    `outlast` is given what may fail because storage is out, and tries it again.
    """

    def __init__(
        self,
        record: Record,
        clock: Callable[[], float] = time.monotonic,
        outlast: Outlast = lambda action: action(),
    ) -> None:
        self.state = StudyState(record.events)
        self.writing = threading.RLock()  # who holds it is the only thread that adds events
        self._record, self._clock, self._outlast = record, clock, outlast
        self._before = self.state.elapsed  # seconds of search of the launches before this
        self._began: float | None = None
        self._listeners: list[Callable[[Event], None]] = []

    @property
    def path(self) -> Path:
        return self._record.path

    def elapsed(self) -> float:
        """Return the seconds of search so far, over all launches."""
        return self._before + (0.0 if self._began is None else self._clock() - self._began)

    def charge(self, seconds: float) -> None:
        """Count seconds that an earlier launch worked and did not come to write down."""
        self._before += seconds

    def launch(self, **fields: Any) -> None:
        """Note that this launch begins: from now on its time counts."""
        self.note(Launched, **fields)
        self._began = self._clock()

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have a function called with every event after it was recorded."""
        self._listeners.append(listener)

    def note(self, kind: Callable[..., Event], **fields: Any) -> None:
        """Add an event of a kind, of this moment."""
        self.add(kind(time=time.time(), **fields))

    def add(self, event: Event) -> None:
        """Record an event, apply it to the state, and tell the listeners."""
        with self.writing:
            event = event.model_copy(update={"elapsed": self.elapsed()})
            self._outlast(lambda: self._record.append(event))
            self.state.apply(event)
            for listener in self._listeners:
                listener(event)
