"""Studies with trials that could vote; what is damaged is left out by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from search_spaces import SearchSpace
from studies.manifest import FolderError, Manifest, read_manifest
from studies.metrics import METRICS
from studies.record import read_record
from studies.study_folder import StudyError, StudyFolder
from studies.study_state import StudyState, TrialState
from voting.candidates.tables import read_rows
from voting.candidates.trials import FinishedTrial, check_weights, out_of_fold


@dataclass(frozen=True)
class FinishedStudy:
    """A study with at least one finished trial."""

    folder: StudyFolder
    space: SearchSpace
    data: dict[str, Any]
    splits_digest: str
    trials: tuple[FinishedTrial, ...]
    samples: pd.DataFrame
    holdout: pd.DataFrame
    manifests: Mapping[int, Manifest]  # of every trial that has finished an epoch, failed ones aside
    damaged: tuple[str, ...] = ()  # what is wrong with the trials that were left out

    @property
    def task(self) -> str:
        return self.space.task

    @property
    def recipe(self) -> FinishedTrial | None:
        """Return the default recipe's trial, None if it has not finished."""
        return next((trial for trial in self.trials if trial.origin == "recipe"), None)


def find_studies(results: Path, names: Sequence[str] = ()) -> list[StudyFolder]:
    """Return every study under a results folder, or those named.

    Raises:
        StudyError: there is none, or none of a name.
    """
    found = [StudyFolder(path) for path in sorted(results.glob("*")) if StudyFolder(path).exists()]
    if not found:
        raise StudyError(
            f"{results}: holds no study; run launch_search.py first, or name another folder with --results"
        )
    there = [folder.name for folder in found]
    for name in names:
        if name not in there:
            raise StudyError(f"--study {name}: {results} has no such study; it has {', '.join(there)}")
    return [folder for folder in found if not names or folder.name in names]


def read_finished(folder: StudyFolder, *, named: bool = False) -> FinishedStudy:
    """Return a study's finished trials; one whose files are damaged is left out, unless the study was `named`.

    Raises:
        StudyError: no trial has finished (says how far the study is), or one of the study's own files is damaged (names it).
        FolderError: a trial of a study that was named is damaged.
    """
    space = folder.stored_space()
    folder.load_plugins()
    state = StudyState(read_record(folder.record) if folder.record.exists() else ())
    data = folder.read_facts(folder.data, ("root", "classes", "resize"))
    finished, manifests, damaged = [], {}, []
    for trial in (one for one in state.trials.values() if one.failure is None):
        try:
            manifest = read_manifest(folder.path, trial.number)
            if manifest is not None:
                manifests[trial.number] = manifest
                finished += _finished(folder, trial, manifest, space, data)
        except FolderError as error:
            if named:
                raise
            manifests.pop(trial.number, None)
            damaged.append(f"left out: {folder.name} trial {trial.number}: {error}")
    if not finished:
        raise StudyError("\n".join(damaged) or _how_far(folder, space, state))
    return FinishedStudy(
        folder,
        space,
        data,
        folder.read_facts(folder.splits, ("digest",))["digest"],
        tuple(finished),
        read_rows(folder.samples, ("id", "person", "fold", "target")),
        read_rows(folder.holdout, ("id", "person", "target")),
        manifests,
        tuple(damaged),
    )


def _finished(
    folder: StudyFolder, trial: TrialState, manifest: Manifest, space: SearchSpace, data: Mapping[str, Any]
) -> list[FinishedTrial]:
    """Return a trial with its predictions, nothing if it cannot vote."""
    if not manifest.can_vote:
        return []
    check_weights(folder.path, manifest)
    predictions = out_of_fold(folder.path, manifest)
    metric = METRICS[space.metric]
    return [FinishedTrial(folder.path, trial.number, trial.origin, manifest, predictions, metric, data["resize"])]


def _how_far(folder: StudyFolder, space: SearchSpace, state: StudyState) -> str:
    """Return how far a study is that has nothing to export, and the way out."""
    furthest = max((trial.fold_epochs for trial in state.trials.values()), default=0)
    folds, epochs = space.search.folds, int(space.recipe().get("epochs", 0))
    return (
        f"{folder.path}: no trial has trained all {folds} folds yet; {len(state.trials)} trials are begun, the furthest"
        f" stands at {furthest} of {folds * epochs} fold-epochs. Go on with launch_search.py and a larger --time-budget."
    )
