"""Whether a record tells a story that can have happened: one walk over its events, for the check and for the repair."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from studies.record.events import ClimbEnded, ClimbStarted, EpochScored, Event, OfTrial, RungReached, TrialAdded
from studies.record.record import readable_events
from studies.state.rungs import Rung
from studies.state.study_state import StudyState
from studies.study_folder import StudyFolder

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
    for event, wrong in walk(events, _unknown) if not damaged else ():
        if isinstance(event, TrialAdded) and event.origin == UNKNOWN:
            yield Finding(str(folder.record), f"trial {event.trial} was never added, though later events are about it")
        if wrong:
            yield Finding(str(folder.record), wrong)


def walk(events: Iterable[Event], lost: LostTrial) -> Iterator[tuple[Event, str | None]]:
    """Yield every event with why it cannot have come next, None if it can; such events are left out of the state.

    Trials that events speak of although nobody added them are made up by `lost`, and come before.
    """
    study = StudyState()
    for event in events:
        if isinstance(event, TrialAdded | OfTrial):
            for number in range(len(study.trials), event.trial + isinstance(event, OfTrial)):
                yield from _made_up(study, lost(number, event.time))
        wrong = contradiction(study, event)
        if wrong is None:
            study.apply(event)
        yield event, wrong


def _made_up(study: StudyState, events: Iterable[Event]) -> Iterator[tuple[Event, str | None]]:
    for event in events:
        study.apply(event)
        yield event, None


def contradiction(study: StudyState, event: Event) -> str | None:
    """Return why an event cannot have come next in a study, None if it can."""
    if isinstance(event, TrialAdded):
        following = len(study.trials)
        return None if event.trial == following else f"trial {event.trial} was added when trial {following} was next"
    if not isinstance(event, OfTrial):
        return None
    trial = study.trials[event.trial]
    match event:
        case EpochScored() if event.epoch != trial.epochs_of(event.fold):
            place = f"fold {event.fold} epoch {event.epoch}"
            return f"trial {event.trial}: {place} came after {trial.epochs_of(event.fold)} epochs of that fold"
        case RungReached() if not trial.has_trained(Rung(event.folds, event.epoch)):
            return f"trial {event.trial}: a rung of {event.folds} folds and {event.epoch} epochs came before they were trained"
        case ClimbStarted() if trial.fold(event.fold).climbing:
            return f"trial {event.trial}: attempt {event.attempt} began before the last climb of its fold had ended"
        case ClimbStarted() if event.attempt <= study.last_attempt:
            return f"trial {event.trial}: attempt {event.attempt} is not newer than attempt {study.last_attempt}"
        case ClimbEnded() if not trial.fold(event.fold).climbing:
            return f"trial {event.trial}: a climb ended that never began"
    return None


def _unknown(number: int, time: float) -> Iterator[Event]:
    yield TrialAdded(time=time, trial=number, configuration={}, origin=UNKNOWN)
