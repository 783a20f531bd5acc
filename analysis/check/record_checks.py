"""Whether a record tells a story that can have happened."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from analysis.check.findings import Finding
from search_spaces import SearchSpace
from studies.climb_order import position_after
from studies.events import ClimbEnded, ClimbStarted, Dropped, EpochScored, Event, Launched, TrialAdded
from studies.record import readable_events
from studies.study_folder import StudyFolder
from studies.study_state import StudyState

Position = Callable[[int], tuple[int, int]]  # fold-epochs done in, the next fold and epoch out


def record_findings(folder: StudyFolder) -> Iterator[Finding]:
    """Yield what is wrong with a study's record by itself."""
    if not folder.record.exists():
        yield Finding(str(folder.record), "is gone")
        return
    events, damaged = readable_events(folder.record)
    for number in damaged:
        yield Finding(f"{folder.record}: line {number}", "cannot be read")
    if not damaged:
        position = position_of(folder, folder.stored_space())
        yield from (Finding(str(folder.record), told) for told in contradictions(events, position))


def position_of(folder: StudyFolder, space: SearchSpace) -> Position:
    """Return where a trial of a study goes on after so many fold-epochs."""
    epochs = int(space.recipe()["epochs"])
    return partial(position_after, epochs=epochs, folds=space.search.folds, order=folder.fold_order())


def contradictions(events: Iterable[Event], position: Position) -> Iterator[str]:
    """Yield what cannot have happened: trials out of order, doubled epochs, climbs of no one, attempts that do not grow."""
    study = StudyState()
    for event in events:
        if told := contradiction(study, event, position):
            yield told
        if not isinstance(event, Launched | TrialAdded) and event.trial not in study.trials:
            study.apply(TrialAdded(time=event.time, trial=event.trial, configuration={}, origin="unknown"))
        study.apply(event)


def contradiction(study: StudyState, event: Event, position: Position) -> str | None:
    """Return why an event cannot have come next in a study, None if it can."""
    if isinstance(event, Launched | Dropped):
        return None
    if isinstance(event, TrialAdded):
        following = len(study.trials)
        return None if event.trial == following else f"trial {event.trial} was added when trial {following} was next"
    if event.trial not in study.trials:
        return f"an event '{event.event}' of trial {event.trial}, which was never added"
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
