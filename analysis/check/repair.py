"""Set aside what is damaged in a study and mark in the record what is gone. Nothing is deleted."""

import os
from collections.abc import Iterator
from pathlib import Path

from analysis.check.folder_checks import folder_findings, trial_numbers
from analysis.check.record_checks import record_findings
from analysis.check.record_recovery import consistent, knows_its_trial, lost_trials
from search_spaces import SearchSpace
from storage.atomic import make_folder, sync, write_text
from studies.events import Event, Rewound, TrialAdded
from studies.record import Record, readable_events
from studies.study_folder import StudyFolder


def repair(folder: StudyFolder, space: SearchSpace) -> Iterator[str]:
    """Repair a study whose lock is held, yielding what was done.

    A record that is damaged, contradicts itself or lacks trials is written anew, from what makes sense in it and from what
    the manifests know. Damaged trial folders are set aside and their trials rewound to nothing: the next launch that needs
    them trains them again.
    """
    if any(record_findings(folder)) or _only_in_folders(folder):
        yield from _rebuild_record(folder, space)
    findings = [finding for finding in folder_findings(folder) if finding.wrong]
    damaged = {finding.trial for finding in findings if finding.trial is not None}
    with Record(folder.record) as record:
        known = _known(folder)
        for trial in sorted(damaged):
            if (path := folder.trials / str(trial)).exists():
                yield f"{path} is set aside as {_set_aside(folder, path)}"
            if trial in known:
                record.append(Rewound(time=record.events[-1].time, trial=trial, fold_epochs=0))
                yield f"trial {trial} begins anew when it is needed"
    for stray in [finding.stray for finding in findings if finding.stray is not None]:
        yield f"{stray} is set aside as {_set_aside(folder, stray)}"


def _rebuild_record(folder: StudyFolder, space: SearchSpace) -> Iterator[str]:
    """Write the record anew."""
    events, lines = _readable(folder)
    kept = list(consistent(folder, space, events))
    kept += lost_trials(folder, space, kept, until=max(_only_in_folders(folder), default=-1) + 1)
    aside = (
        f"; the one before is kept as {_set_aside(folder, folder.record, keep=True)}" if folder.record.exists() else ""
    )
    write_text(folder.record, "".join(f"{event.model_dump_json()}\n" for event in kept))
    unread = f", lines {', '.join(map(str, lines))} could not be read" if lines else ""
    yield f"{folder.record}: written anew{unread}{aside}"


def _readable(folder: StudyFolder) -> tuple[list[Event], list[int]]:
    return readable_events(folder.record) if folder.record.exists() else ([], [])


def _known(folder: StudyFolder) -> set[int]:
    """Return the trials that the record has."""
    return {event.trial for event in _readable(folder)[0] if isinstance(event, TrialAdded)}


def _only_in_folders(folder: StudyFolder) -> set[int]:
    """Return the trials that the record lacks although their folders know them."""
    return {trial for trial in trial_numbers(folder) - _known(folder) if knows_its_trial(folder, trial)}


def _set_aside(folder: StudyFolder, path: Path, *, keep: bool = False) -> Path:
    """Move a file or folder below `set_aside/` under a free name (or link it there, to be replaced), and return where."""
    place = folder.path / "set_aside"
    make_folder(place)
    free = next(name for number in range(10**6) if not (name := place / f"{path.name}.{number}").exists())
    if keep:
        os.link(path, free)
    else:
        path.rename(free)
        sync(path.parent)
    sync(place)
    return free
