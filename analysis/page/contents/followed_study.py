"""One study that somebody asks about: opened once, then followed."""

import threading
import time
from dataclasses import dataclass
from typing import Any

from analysis.page.contents.overview import study_row
from analysis.page.contents.view import view
from analysis.page.contents.watched import WatchedStudy
from studies.study_folder import StudyFolder

_CLOCK = 5  # seconds after which what depends on the time alone is said anew


@dataclass(frozen=True)
class Line:
    """A study in the list of all, as of a tag."""

    study: WatchedStudy
    tag: str
    row: list[str]


class FollowedStudy:
    """Answers one question at a time; no study waits for another."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._asking = threading.RLock()
        self._study: WatchedStudy | None = None
        self._line: Line | None = None

    def refreshed(self) -> WatchedStudy:
        """Return the study as it is now.

        Raises:
            Exception: whatever is wrong with it; the next question begins anew.
        """
        with self._asking:
            if self._study is None:
                self._study = WatchedStudy(self._folder)
            try:
                self._study.refresh()
            except Exception:
                self._study = None  # half taken in: begin anew the next time
                raise
            return self._study

    def shown(self, seen: str) -> dict[str, Any]:
        """Return its page with its tag, the tag alone if it is what was seen before."""
        with self._asking:
            study = self.refreshed()
            tag = f"{study.tag}-{int(time.monotonic() / _CLOCK) if study.running else 0}"
            return {"tag": tag} if tag == seen else {"tag": tag, **view(study)}

    def line(self) -> Line:
        """Return its line in the list of all."""
        with self._asking:
            study = self.refreshed()
            if self._line is None or (self._line.study, self._line.tag) != (study, study.tag):
                self._line = Line(study, study.tag, study_row(study))
            return self._line
