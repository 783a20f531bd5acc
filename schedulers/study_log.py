"""Every event of a launch: into the record, into the state, and to whoever listens."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studies.events import Event
from studies.record import Record
from studies.study_state import StudyState


class StudyLog:
    """Keeps a study's record and its state the same."""

    def __init__(self, record: Record, clock: Callable[[], float] = time.time) -> None:
        self.state = StudyState(record.events)
        self.now = clock
        self._record = record
        self._listeners: list[Callable[[Event], None]] = []

    @property
    def path(self) -> Path:
        return self._record.path

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have a function called with every event after it was recorded."""
        self._listeners.append(listener)

    def note(self, kind: Callable[..., Event], **fields: Any) -> None:
        """Add an event of a kind, of this moment."""
        self.add(kind(time=self.now(), **fields))

    def add(self, event: Event) -> None:
        """Record an event, apply it to the state, and tell the listeners."""
        self._record.append(event)
        self.state.apply(event)
        for listener in self._listeners:
            listener(event)
