"""Whether a record tells a story that can have happened: one walk over its events, for the check and for the repair."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from studies.climb_order import position_after
from studies.events import (
    ClimbEnded,
    ClimbStarted,
    Dropped,
    EpochScored,
    Event,
    FieldClosed,
    Launched,
    Requested,
    TrialAdded,
)
from studies.record import readable_events
from studies.study_folder import StudyFolder
from studies.study_state import StudyState

Position = Callable[[int], tuple[int, int]]  # fold-epochs done in, the next fold and epoch out
UNKNOWN = "unknown"  # the origin of a trial whose line is lost
LostTrial = Callable[[int, float], Iterable[Event]]  # a trial whose line is lost and the time in, its events out


@dataclass(frozen=True)
class Finding:
    """One thing that a check has found, and where; a note is nothing that needs mending."""

    place: str
    message: str
    wrong: bool = True
    trial: int | None = None  # whose folder is damaged, so that a repair sets it aside
    stray: Path | None = None  # what does not belong there, likewise

    def __str__(self) -> str:
        return f"{'wrong' if self.wrong else 'note'}: {self.place}: {self.message}"


def record_findings(folder: StudyFolder) -> Iterator[Finding]:
    """Yield what is wrong with a study's record by itself."""
    if not folder.record.exists():
        yield Finding(str(folder.record), "is gone")
        return
    events, damaged = readable_events(folder.record)
    for number in damaged:
        yield Finding(f"{folder.record}: line {number}", "cannot be read")
    for event, wrong in walk(events, position_of(folder), _unknown) if not damaged else ():
        if isinstance(event, TrialAdded) and event.origin == UNKNOWN:
            yield Finding(str(folder.record), f"trial {event.trial} was never added, though later events are about it")
        if wrong:
            yield Finding(str(folder.record), wrong)


def position_of(folder: StudyFolder) -> Position:
    """Return where a trial of a study goes on after so many fold-epochs."""
    space = folder.stored_space()
    epochs = int(space.recipe()["epochs"])
    return partial(position_after, epochs=epochs, folds=space.search.folds, order=folder.fold_order())


def walk(events: Iterable[Event], position: Position, lost: LostTrial) -> Iterator[tuple[Event, str | None]]:
    """Yield every event with why it cannot have come next, None if it can; such events are left out of the state.

    Trials that events speak of although nobody added them are made up by `lost`, and come before.
    """
    study = StudyState()
    for event in events:
        if not isinstance(event, Launched | Dropped | FieldClosed | Requested):
            for number in range(len(study.trials), event.trial + (not isinstance(event, TrialAdded))):
                yield from _made_up(study, lost(number, event.time))
        wrong = contradiction(study, event, position)
        if wrong is None:
            study.apply(event)
        yield event, wrong


def _made_up(study: StudyState, events: Iterable[Event]) -> Iterator[tuple[Event, str | None]]:
    for event in events:
        study.apply(event)
        yield event, None


def contradiction(study: StudyState, event: Event, position: Position) -> str | None:
    """Return why an event cannot have come next in a study, None if it can."""
    if isinstance(event, Launched | Dropped | FieldClosed | Requested):
        return None
    if isinstance(event, TrialAdded):
        following = len(study.trials)
        return None if event.trial == following else f"trial {event.trial} was added when trial {following} was next"
    trial = study.trials[event.trial]
    match event:
        case EpochScored() if (event.fold, event.epoch) != position(trial.fold_epochs):
            place = f"fold {event.fold} epoch {event.epoch}"
            return f"trial {event.trial}: {place} came as its fold-epoch {trial.fold_epochs + 1}"
        case ClimbStarted() if trial.climbing:
            return f"trial {event.trial}: attempt {event.attempt} began before the last climb had ended"
        case ClimbStarted() if event.attempt <= study.last_attempt:
            return f"trial {event.trial}: attempt {event.attempt} is not newer than attempt {study.last_attempt}"
        case ClimbEnded() if not trial.climbing:
            return f"trial {event.trial}: a climb ended that never began"
    return None


def _unknown(number: int, time: float) -> Iterator[Event]:
    yield TrialAdded(time=time, trial=number, configuration={}, origin=UNKNOWN)
