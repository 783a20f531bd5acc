"""Set aside what is damaged in a study and mark in the record what is gone. Nothing is deleted."""

import os
from collections.abc import Iterator
from pathlib import Path

from analysis.folder_checks import folder_findings
from schedulers.events import ClimbEnded, ClimbStarted, EpochScored, Event, Launched, Rewound, TrialAdded, TrialFailed
from schedulers.record import Record, readable_events
from schedulers.study_folder import StudyFolder
from schedulers.study_run import make_ladder
from search_spaces import SearchSpace
from trainables.manifest import FolderError, read_manifest


def repair(folder: StudyFolder, space: SearchSpace) -> Iterator[str]:
    """Repair a study whose lock is held, yielding what was done.

    A damaged record is written anew from its readable lines and from what the manifests know. Damaged trial folders
    are set aside and their trials rewound to nothing: the next launch that needs them trains them again.
    """
    if folder.record.exists() and readable_events(folder.record)[1]:
        yield from _rebuild_record(folder, space)
    damaged = sorted(
        {finding.trial for finding in folder_findings(folder) if finding.wrong and finding.trial is not None}
    )
    with Record(folder.record) as record:
        known = {event.trial for event in record.events if isinstance(event, TrialAdded)}
        for trial in damaged:
            if (path := folder.trials / str(trial)).exists():
                yield f"{path} is set aside as {_set_aside(folder, path)}"
            if trial in known:
                record.append(Rewound(time=record.events[-1].time, trial=trial, fold_epochs=0))
                yield f"trial {trial} begins anew when it is needed"


def _rebuild_record(folder: StudyFolder, space: SearchSpace) -> Iterator[str]:
    """Write the record anew: readable events as far as they fit together, trials from manifests where theirs is lost."""
    events, lines = readable_events(folder.record)
    kept = list(_consistent(folder, space, events))
    temporary = folder.record.with_name(".record.jsonl.new")
    with open(temporary, "wb") as file:
        file.writelines(event.model_dump_json().encode() + b"\n" for event in kept)
        file.flush()
        os.fsync(file.fileno())
    aside = _set_aside(folder, folder.record, keep=True)
    temporary.replace(folder.record)
    yield f"{folder.record}: lines {', '.join(map(str, lines))} could not be read; the damaged record is kept as {aside}"


def _consistent(folder: StudyFolder, space: SearchSpace, events: list[Event]) -> Iterator[Event]:
    """Yield the events that still make sense; from a gap in a trial's epochs on, its folder knows better."""
    position, done, climbing, cut = make_ladder(space).position, dict[int, int](), set[int](), set[int]()
    for event in events:
        if isinstance(event, Launched):
            yield event
            continue
        for missing in range(len(done), event.trial + (not isinstance(event, TrialAdded))):
            yield from _lost_trial(folder, space, missing, event.time)
            done[missing] = 0
        if isinstance(event, TrialAdded) and event.trial not in done:
            done[event.trial] = 0
            yield event
        elif isinstance(event, EpochScored):
            if event.trial not in cut and (event.fold, event.epoch) == position(done[event.trial]):
                done[event.trial] += 1
                yield event
            else:
                cut.add(event.trial)
        elif isinstance(event, ClimbStarted):
            climbing.add(event.trial)
            yield event
        elif isinstance(event, ClimbEnded | TrialFailed):
            if event.trial in climbing or isinstance(event, TrialFailed):
                yield event
            climbing.discard(event.trial)
        elif isinstance(event, Rewound):
            done[event.trial] = event.fold_epochs
            yield event


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


def _set_aside(folder: StudyFolder, path: Path, *, keep: bool = False) -> Path:
    """Move a file or folder below `set_aside/` under a free name (or link it there, to be replaced), and return where."""
    place = folder.path / "set_aside"
    place.mkdir(exist_ok=True)
    free = next(name for number in range(10**6) if not (name := place / f"{path.name}.{number}").exists())
    if keep:
        os.link(path, free)
    else:
        path.rename(free)
    return free
