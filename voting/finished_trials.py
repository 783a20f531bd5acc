"""The finished trials of a study, with their complete out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from datasets.images import Resize
from search_spaces import SearchSpace
from studies.manifest import FolderError, Manifest, read_manifest, sha256_of, trial_path, weights_name
from studies.metrics import METRICS, Metric
from studies.predictions import FoldPredictions, predictions_name, read_predictions
from studies.record import read_record
from studies.study_folder import StudyError, StudyFolder
from studies.study_state import StudyState, TrialState


@dataclass(frozen=True)
class FinishedTrial:
    """A trial that has trained all folds; its predictions cover every image outside the holdout, sorted by id."""

    study: Path
    number: int
    origin: str
    manifest: Manifest
    predictions: FoldPredictions
    metric: Metric
    resize: Resize  # how its images became square

    @property
    def score(self) -> float:
        """Return the study's metric pooled over all folds; more is better."""
        return self.metric.score(self.predictions.targets, self.predictions.probabilities)


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


def read_finished(folder: StudyFolder) -> FinishedStudy:
    """Return a study's finished trials.

    Raises:
        StudyError: no trial has finished (says how far the study is), or one of its files is damaged (names it).
    """
    space = folder.stored_space()
    folder.load_plugins()
    state = StudyState(read_record(folder.record) if folder.record.exists() else ())
    data = folder.read_facts(folder.data, ("root", "classes", "resize"))
    finished = [_finished(folder, trial, METRICS[space.metric], data["resize"]) for trial in state.trials.values()]
    if not any(finished):
        raise StudyError(_how_far(folder, space, state))
    return FinishedStudy(
        folder,
        space,
        data,
        folder.read_facts(folder.splits, ("digest",))["digest"],
        tuple(filter(None, finished)),
        read_rows(folder.samples, ("id", "person", "fold", "target")),
        read_rows(folder.holdout, ("id", "person", "target")),
    )


def _finished(folder: StudyFolder, trial: TrialState, metric: Metric, resize: Resize) -> FinishedTrial | None:
    """Return a trial with its predictions, None if it cannot vote."""
    manifest = read_manifest(folder.path, trial.number)
    if manifest is None or not manifest.can_vote:
        return None
    _check_weights(folder.path, manifest)
    predictions = out_of_fold(folder.path, manifest)
    return FinishedTrial(folder.path, trial.number, trial.origin, manifest, predictions, metric, resize)


def _how_far(folder: StudyFolder, space: SearchSpace, state: StudyState) -> str:
    """Return how far a study is that has nothing to export, and the way out."""
    furthest = max((trial.fold_epochs for trial in state.trials.values()), default=0)
    folds, epochs = space.search.folds, int(space.recipe().get("epochs", 0))
    return (
        f"{folder.path}: no trial has trained all {folds} folds yet; {len(state.trials)} trials are begun, the furthest"
        f" stands at {furthest} of {folds * epochs} fold-epochs. Go on with launch_search.py and a larger --time-budget."
    )


def _check_weights(study: Path, manifest: Manifest) -> None:
    """Refuse a trial whose weights cannot be packed: found out now, the other studies can still be exported."""
    for fold in range(manifest.folds):
        path = trial_path(study, manifest.trial) / weights_name(fold)
        if not path.is_file() or sha256_of(path) != manifest.files[weights_name(fold)]:
            raise FolderError(f"{path}: is missing or was changed; restore it, or leave the study out with --study")


def read_rows(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return the rows of a study's table of images, sorted by id.

    Raises:
        StudyError: it is missing or damaged; names it.
    """
    try:
        rows = pd.read_csv(path, dtype={"id": str, "person": str}, keep_default_na=False)
        return rows[list(columns)].sort_values("id")
    except (OSError, ValueError, KeyError) as error:
        raise StudyError(f"{path}: cannot be read ({error}); the next launch of the study writes it anew") from None


def out_of_fold(study: Path, manifest: Manifest) -> FoldPredictions:
    """Return the predictions of all folds together, sorted by id.

    Raises:
        FolderError: a file is missing, or changed since it was written.
    """
    for fold in range(manifest.finished_folds):
        path = trial_path(study, manifest.trial) / predictions_name(fold)
        if not path.is_file() or sha256_of(path) != manifest.files.get(predictions_name(fold)):
            raise FolderError(f"{path}: is missing or was changed since it was written; restore it")
    parts = [read_predictions(study, manifest.trial, fold) for fold in range(manifest.finished_folds)]
    ids = np.concatenate([part.ids for part in parts])
    order = np.argsort(ids, kind="stable")
    return FoldPredictions(
        ids=ids[order],
        targets=np.concatenate([part.targets for part in parts])[order],
        probabilities=np.concatenate([part.probabilities for part in parts])[order],
    )
