"""A damaged record written anew: its events as far as they fit together, and trials that only their folders know."""

from collections.abc import Iterator, Sequence

from analysis.check.record_checks import Position, contradiction, position_of
from search_spaces import SearchSpace
from studies.events import ClimbEnded, ClimbStarted, EpochScored, Event, Launched, Rewound, TrialAdded, TrialFailed
from studies.manifest import FolderError, read_manifest
from studies.study_folder import StudyFolder
from studies.study_state import StudyState


def consistent(folder: StudyFolder, space: SearchSpace, events: Sequence[Event]) -> Iterator[Event]:
    """Yield the events that still make sense; from a gap in a trial's epochs on, its folder knows better."""
    study, cut, position = StudyState(), set[int](), position_of(folder, space)
    for event in events:
        if not isinstance(event, Launched):
            for missing in range(len(study.trials), event.trial + (not isinstance(event, TrialAdded))):
                yield from _applied(study, _lost_trial(folder, space, missing, event.time))
        yield from _applied(study, _mended(study, event, cut, position))


def _applied(study: StudyState, events: Iterator[Event]) -> Iterator[Event]:
    for event in events:
        study.apply(event)
        yield event


def _mended(study: StudyState, event: Event, cut: set[int], position: Position) -> Iterator[Event]:
    """Yield what takes an event's place: itself, itself with what went missing before it, or nothing."""
    if isinstance(event, Rewound):
        cut.discard(event.trial)
    impossible = contradiction(study, event, position) is not None
    match event:
        case EpochScored() if impossible or event.trial in cut:
            cut.add(event.trial)
        case ClimbStarted() if impossible:
            trial = study.trials[event.trial]
            if trial.climbing:  # the line of its end is lost
                yield ClimbEnded(time=event.time, trial=event.trial, attempt=trial.attempt, reason="stopped")
            yield event.model_copy(update={"attempt": max(study.last_attempt + 1, event.attempt)})
        case _ if not impossible:
            yield event


def lost_trials(folder: StudyFolder, space: SearchSpace, events: Sequence[Event], until: int) -> list[Event]:
    """Return the trials up to `until` that only their folders know; their epochs are recorded at the next launch."""
    known = {event.trial for event in events if isinstance(event, TrialAdded)}
    time = events[-1].time if events else 0.0
    return [event for trial in range(until) if trial not in known for event in _lost_trial(folder, space, trial, time)]


def knows_its_trial(folder: StudyFolder, trial: int) -> bool:
    """Tell whether a trial folder has a manifest that is about this trial."""
    try:
        manifest = read_manifest(folder.path, trial)
    except FolderError:
        return False
    return manifest is not None and manifest.trial == trial


def _lost_trial(folder: StudyFolder, space: SearchSpace, trial: int, time: float) -> Iterator[Event]:
    """Yield a trial whose own line was lost: its manifest knows the configuration, or it has failed."""
    try:
        manifest = read_manifest(folder.path, trial)
    except FolderError:
        manifest = None
    origin = "recipe" if trial == 0 else "recovered"
    configuration = manifest.configuration if manifest else space.recipe()
    yield TrialAdded(time=time, trial=trial, configuration=configuration, origin=origin)
    if manifest is None and trial:
        yield TrialFailed(time=time, trial=trial, failure="error", reason="its configuration was lost with the record")
