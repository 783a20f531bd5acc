"""The studies of a folder, each followed from the first time that somebody asks for it."""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from analysis.page.contents.overview import overview, study_folders, study_row
from analysis.page.contents.view import view
from analysis.page.contents.watched import WatchedStudy
from studies.events import TrialAdded
from studies.record import readable_events
from studies.study_folder import StudyError, StudyFolder

_CLOCK = 5  # seconds after which what depends on the time alone is said anew


class FollowedStudies:
    """Answers what the page asks for; one question at a time."""

    def __init__(self, results: Path) -> None:
        self.results = results.absolute()
        self._followed: dict[str, WatchedStudy] = {}
        self._lock = threading.Lock()

    def folder(self, name: str) -> StudyFolder:
        """Return the folder of a study.

        Raises:
            StudyError: the name is no plain folder name, or there is no such study.
        """
        folder = StudyFolder.named(self.results, name)
        if not folder.path.is_dir():
            raise StudyError(f"{self.results}: has no study {name}")
        return folder

    def open_first(self, name: str) -> None:
        """Open a study before any other: of two versions of a plugin the one that is loaded first stays."""
        with suppress(Exception):  # the page says what is wrong with it
            self._refreshed(self.folder(name))

    def study(self, name: str, seen: str = "") -> dict[str, Any]:
        """Return the page of a study with its tag, the tag alone if it is what was seen before.

        Raises:
            StudyError: there is no such study.
        """
        with self._lock:
            folder = self.folder(name)
            try:
                return self._shown(self._refreshed(folder), seen)
            except Exception as error:  # whatever is wrong with it, the page says so
                return {"tag": _why(error), "broken": _why(error), "name": name, **_rest(folder)}

    def overview(self) -> dict[str, Any]:
        """Return the page of all studies."""
        with self._lock:
            opened, broken = list[tuple[WatchedStudy, list[str]]](), list[tuple[str, str]]()
            for folder in study_folders(self.results):
                try:
                    study = self._refreshed(folder)
                    opened.append((study, study_row(study)))
                except Exception as error:  # one study must not take the others along
                    broken.append((folder.name, _why(error)))
            return overview(self.results, opened, broken)

    def _shown(self, study: WatchedStudy, seen: str) -> dict[str, Any]:
        now = time.time()
        tag = f"{study.tag}-{int(now / _CLOCK) if study.running else 0}"
        return {"tag": tag} if tag == seen else {"tag": tag, **view(study, now)}

    def _refreshed(self, folder: StudyFolder) -> WatchedStudy:
        if folder.name not in self._followed:
            self._followed[folder.name] = WatchedStudy(folder)
        study = self._followed[folder.name]
        try:
            study.refresh()
        except Exception:
            del self._followed[folder.name]  # half taken in: begin anew the next time
            raise
        return study


def _why(error: Exception) -> str:
    """Return what is wrong with a study: our own errors say it whole."""
    return str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"


def _rest(folder: StudyFolder) -> dict[str, Any]:
    """Return what can be said of a study that cannot be opened."""
    try:
        events, damaged = readable_events(folder.record)
    except (ValueError, OSError):
        return {"rest": "Its record cannot be read."}
    trials = sum(isinstance(event, TrialAdded) for event in events)
    return {"rest": f"Its record tells of {trials} trials in {len(events)} readable lines, {len(damaged)} are damaged."}
