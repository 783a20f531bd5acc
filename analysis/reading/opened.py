"""A study opened for reading, whatever state it is in: running, stopped or finished."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plugins.names import name_hint
from schedulers.ladder import Ladder
from schedulers.search_settings import changed_space, make_ladder
from search_spaces import SearchSettings, SearchSpace
from studies.events import Event, Launched, Requested, TrialAdded
from studies.record import read_record
from studies.requests import AddConfigurations, Request
from studies.study_folder import StudyError, StudyFolder
from studies.study_state import StudyState, TrialState


@dataclass(frozen=True)
class OpenedStudy:
    """A study as it is at one moment."""

    folder: StudyFolder
    space: SearchSpace
    state: StudyState
    ladder: Ladder

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
    space = folder.stored_space()
    folder.load_plugins()  # its strategy may be of one
    events = list(read_record(folder.record)) if folder.record.exists() else []
    space = searched_space(space, events)
    return OpenedStudy(folder, space, StudyState(events), make_ladder(space))


def searched_space(stored: SearchSpace, events: Iterable[Event]) -> SearchSpace:
    """Return a study's space under the search settings of its last launch, and what was asked of that since.

    Settings that this version cannot read leave what was.
    """
    space, trials = stored, 0
    for event in events:
        with suppress(ValueError):
            if isinstance(event, Launched):
                settings = SearchSettings.model_validate({**stored.search.model_dump(), **event.settings})
                launched = stored.model_copy(update={"search": settings})
                make_ladder(launched)
                space = launched
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
