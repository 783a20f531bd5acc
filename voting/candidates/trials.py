"""A trial that could vote, with its complete out-of-fold predictions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.images import Resize
from studies.manifest import FolderError, Manifest, sha256_of, trial_path, weights_name
from studies.metrics import Metric
from studies.predictions import FoldPredictions, predictions_name, read_predictions


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


def check_weights(study: Path, manifest: Manifest) -> None:
    """Check that a trial's weights can be packed: found out now, the others can still be exported.

    Raises:
        FolderError: one is missing, or was changed since it was written.
    """
    for fold in range(manifest.folds):
        path = trial_path(study, manifest.trial) / weights_name(fold)
        if not path.is_file() or sha256_of(path) != manifest.files[weights_name(fold)]:
            raise FolderError(f"{path}: is missing or was changed; restore it")


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
