"""A study opened for reading, whatever state it is in: running, stopped or finished. No code of its plugins is run."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plugins.names import name_hint
from schedulers.budget_settings import changed_space
from search_spaces import SearchSettings, SearchSpace
from studies.errors import StudyError
from studies.record.events import Event, Launched, Requested, TrialAdded
from studies.record.requests import AddConfigurations, Request
from studies.state.rungs import Rungs
from studies.state.search_facts import SearchFacts, facts_of
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.study import Study
from studies.study_folder import StudyFolder


@dataclass(frozen=True)
class OpenedStudy:
    """A study as it is at one moment."""

    study: Study
    space: SearchSpace  # under the settings of its last launch
    state: StudyState
    facts: SearchFacts

    @property
    def folder(self) -> StudyFolder:
        return self.study.folder

    @property
    def rungs(self) -> Rungs:
        return self.facts.rungs

    def trial(self, number: int) -> TrialState:
        """Return a trial by its number.

        Raises:
            StudyError: there is none.
        """
        if number not in self.state.trials:
            there = f"0 to {len(self.state.trials) - 1}" if self.state.trials else "none yet"
            raise StudyError(f"{self.folder.name}: has no trial {number}; its trials are {there}")
        return self.state.trials[number]


def open_study(path: Path) -> OpenedStudy:
    """Return the study in a folder.

    Raises:
        StudyError: there is none; names those beside it.
        RecordError: its record is damaged, or of another version.
    """
    folder = StudyFolder(path)
    if not folder.exists():
        beside = [one.name for one in sorted(folder.path.parent.glob("*")) if StudyFolder(one).exists()]
        hint = f"; {name_hint(folder.name, beside)}" if beside else "; launch_search.py begins one"
        raise StudyError(f"{path}: holds no study{hint}")
    study = Study.existing(folder)
    events = study.events()
    space = searched_space(study.space, events)
    return OpenedStudy(study, space, StudyState(events), facts_of(study.space, events))


def searched_space(stored: SearchSpace, events: Iterable[Event]) -> SearchSpace:
    """Return a study's space under the search settings of its last launch, and what was asked of that since.

    Settings that this version cannot read leave what was.
    """
    space, trials = stored, 0
    for event in events:
        with suppress(ValueError):
            if isinstance(event, Launched):
                settings = SearchSettings.model_validate({**stored.search.model_dump(), **event.settings})
                space = stored.model_copy(update={"search": settings})
            elif isinstance(event, Requested):
                space = _with_room(changed_space(space, event.request), event.request, trials)
            elif isinstance(event, TrialAdded):
                trials += 1
    return space


def _with_room(space: SearchSpace, request: Request, trials: int) -> SearchSpace:
    """Return a space with room for the configurations that were asked for when there were so many trials."""
    if not isinstance(request, AddConfigurations):
        return space
    room = max(space.search.trials, trials + len(request.configurations))
    return space.model_copy(update={"search": space.search.model_copy(update={"trials": room})})
