"""Set aside what is damaged in a study and mark in the record what is gone. Nothing is deleted."""

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from analysis.check.folder_checks import folder_findings, trial_numbers
from analysis.check.record_checks import record_findings, walk
from storage.atomic import make_folder, sync, write_text
from studies.record.events import RECORD_FORMAT, Event, FoldRewound, Launched, TrialAdded, TrialFailed, TrialRestored
from studies.record.record import Record, readable_events
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.trials.manifest import FolderError
from studies.trials.stored_trial import StoredTrial, read_trial


def repair(study: Study) -> Iterator[str]:
    """Repair a study whose lock is held, yielding what was done.

    A record that is damaged, contradicts itself or lacks trials is written anew, from what makes sense in it and from what
    the manifests know. Damaged trial folders are set aside and their trials rewound to nothing: the next launch that needs
    them trains them again.
    """
    folder = study.folder
    events, unread = readable_events(folder.record) if folder.record.exists() else ([], [])
    if any(record_findings(folder)) or _only_in_folders(folder, events):
        yield from _write_anew(study, events, unread)
    damaged = [finding for finding in folder_findings(study) if finding.wrong]
    with Record(folder.record) as record:
        state = StudyState(record.events)
        for trial in sorted({finding.trial for finding in damaged if finding.trial is not None}):
            if (path := folder.trials / str(trial)).exists():
                yield f"{path} is set aside as {_set_aside(folder, path)}"
            if trial in state.trials:
                for event in _begun_anew(state.trials[trial], record.events[-1]):
                    record.append(event)
                yield f"trial {trial} begins anew when it is needed"
    for stray in [finding.stray for finding in damaged if finding.stray is not None]:
        yield f"{stray} is set aside as {_set_aside(folder, stray)}"


def _begun_anew(trial: TrialState, after: Event) -> Iterator[Event]:
    """Yield the events that have every fold of a trial stand at nothing."""
    moment = {"time": after.time, "elapsed": after.elapsed, "trial": trial.number}
    yield from (FoldRewound(fold=fold, epochs=0, **moment) for fold in sorted(trial.folds))
    if trial.failure is not None:
        yield TrialRestored(**moment)


def _write_anew(study: Study, events: list[Event], unread: list[int]) -> Iterator[str]:
    """Write the record anew: its events as far as they fit together, and trials that only their folders know."""
    folder = study.folder

    def lost(trial: int, time: float) -> Iterator[Event]:
        manifest, origin = _manifest(folder, trial), "recipe" if trial == 0 else "recovered"
        configuration = manifest.configuration if manifest else study.space.recipe()
        yield TrialAdded(time=time, trial=trial, configuration=configuration, origin=origin)
        if manifest is None and trial:
            yield TrialFailed(
                time=time, trial=trial, failure="error", reason="its configuration was lost with the record"
            )

    kept = [event for event, wrong in walk(map(_today, events), lost) if wrong is None]
    after = kept[-1].time if kept else 0.0
    added = sum(isinstance(event, TrialAdded) for event in kept)
    for trial in range(added, max(_only_in_folders(folder, kept), default=-1) + 1):
        kept += lost(trial, after)
    aside = (
        f"; the one before is kept as {_set_aside(folder, folder.record, keep=True)}" if folder.record.exists() else ""
    )
    write_text(folder.record, "".join(f"{event.model_dump_json()}\n" for event in kept))
    skipped = f", lines {', '.join(map(str, unread))} could not be read" if unread else ""
    yield f"{folder.record}: written anew{skipped}{aside}"


def _today(event: Event) -> Event:
    """Return a launch as of today's format: what follows it is written in it."""
    return event.model_copy(update={"format": RECORD_FORMAT}) if isinstance(event, Launched) else event


def _only_in_folders(folder: StudyFolder, events: list[Event]) -> set[int]:
    """Return the trials that the events lack although their folders know them."""
    known = {event.trial for event in events if isinstance(event, TrialAdded)}
    return {trial for trial in trial_numbers(folder) - known if _manifest(folder, trial) is not None}


def _manifest(folder: StudyFolder, trial: int) -> StoredTrial | None:
    """Return what a trial's folder holds if it is whole and about this trial."""
    try:
        manifest = read_trial(folder.path, trial)
    except FolderError:
        return None
    return manifest if manifest is not None and manifest.trial == trial else None


def _set_aside(folder: StudyFolder, path: Path, *, keep: bool = False) -> Path:
    """Move a file or folder below `set_aside/` under a free name (or link it there, to be replaced), and return where."""
    place = folder.path / "set_aside"
    make_folder(place)
    free = next(name for number in count() if not (name := place / f"{path.name}.{number}").exists())
    if keep:
        os.link(path, free)
    else:
        path.rename(free)
        sync(path.parent)
    sync(place)
    return free
