"""A damaged record told anew: its events as far as they fit together, and trials that only their folders know."""

from collections.abc import Iterator, Sequence

from schedulers.search_settings import make_ladder
from search_spaces import SearchSpace
from studies.events import (
    ClimbEnded,
    ClimbStarted,
    EpochScored,
    Event,
    Launched,
    Rewound,
    TrialAdded,
    TrialFailed,
)
from studies.manifest import FolderError, read_manifest
from studies.study_folder import StudyFolder


def consistent(folder: StudyFolder, space: SearchSpace, events: Sequence[Event]) -> Iterator[Event]:
    """Yield the events that still make sense; from a gap in a trial's epochs on, its folder knows better."""
    position, done, climbing, cut, newest = (
        make_ladder(space).position,
        dict[int, int](),
        dict[int, int](),
        set[int](),
        0,
    )
    for event in events:
        if isinstance(event, Launched):
            yield event
            continue
        for missing in range(len(done), event.trial + (not isinstance(event, TrialAdded))):
            yield from _lost_trial(folder, space, missing, event.time)
            done[missing] = 0
        if isinstance(event, TrialAdded):
            if event.trial not in done:
                done[event.trial] = 0
                yield event
        elif isinstance(event, EpochScored):
            if event.trial not in cut and (event.fold, event.epoch) == position(done[event.trial]):
                done[event.trial] += 1
                yield event
            else:
                cut.add(event.trial)
        elif isinstance(event, ClimbStarted):
            if event.trial in climbing:  # the line of its end is lost
                yield ClimbEnded(time=event.time, trial=event.trial, attempt=climbing[event.trial], reason="stopped")
            newest = max(newest + 1, event.attempt)
            climbing[event.trial] = newest
            yield event.model_copy(update={"attempt": newest})
        elif isinstance(event, ClimbEnded):
            if climbing.pop(event.trial, None) is not None:
                yield event
        else:
            if isinstance(event, TrialFailed):
                climbing.pop(event.trial, None)
            if isinstance(event, Rewound):
                done[event.trial] = event.fold_epochs
                cut.discard(event.trial)
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
