"""The studies of a folder, each followed from the first time that somebody asks for it."""

import hashlib
import json
import threading
from pathlib import Path
from typing import Any

from analysis.page.contents.followed_study import FollowedStudy, Line
from analysis.page.contents.overview import overview, study_folders
from studies.record.events import TrialAdded
from studies.record.record import readable_events
from studies.study_folder import StudyError, StudyFolder


class FollowedStudies:
    """Answers what the page asks for."""

    def __init__(self, results: Path) -> None:
        self.results = results.absolute()
        self._followed: dict[str, FollowedStudy] = {}
        self._adding = threading.Lock()

    def folder(self, name: str) -> StudyFolder:
        """Return the folder of a study.

        Raises:
            StudyError: the name is no plain folder name, or there is no such study.
        """
        folder = StudyFolder.named(self.results, name)
        if not folder.path.is_dir():
            raise StudyError(f"{self.results}: has no study {name}")
        return folder

    def study(self, name: str, seen: str = "") -> dict[str, Any]:
        """Return the page of a study with its tag, the tag alone if it is what was seen before.

        Raises:
            StudyError: there is no such study.
        """
        folder = self.folder(name)
        try:
            return self._of(folder).shown(seen)
        except Exception as error:  # whatever is wrong with it, the page says so
            return {"tag": _why(error), "broken": _why(error), "name": name, **_rest(folder)}

    def overview(self, seen: str = "") -> dict[str, Any]:
        """Return the page of all studies with its tag, the tag alone if it is what was seen before."""
        lines, broken = list[Line](), list[tuple[str, str]]()
        for folder in study_folders(self.results):
            try:
                lines.append(self._of(folder).line())
            except Exception as error:  # one study must not take the others along
                broken.append((folder.name, _why(error)))
        known = json.dumps([[line.study.folder.name, line.tag] for line in lines] + broken)
        tag = hashlib.sha256(known.encode()).hexdigest()
        if tag == seen:
            return {"tag": tag}
        return {"tag": tag, **overview(self.results, [(line.study, line.row) for line in lines], broken)}

    def _of(self, folder: StudyFolder) -> FollowedStudy:
        with self._adding:
            return self._followed.setdefault(folder.name, FollowedStudy(folder))


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
