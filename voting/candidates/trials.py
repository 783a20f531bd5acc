"""A trial that could vote, with its complete out-of-fold predictions."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.images import Resize
from datasets.numbers import Number
from studies.metrics import Metric
from studies.trials.manifest import FolderError, sha256_of, trial_path, weights_name
from studies.trials.predictions import FoldPredictions, predictions_name, read_predictions
from studies.trials.stored_trial import StoredTrial
from trainables.config import TrainConfig
from trainables.training.heads.tuning import final_thresholds, tunes_thresholds


@dataclass(frozen=True)
class FinishedTrial:
    """A trial that has trained all folds; its predictions cover every image outside the holdout, sorted by id."""

    study: Path
    number: int
    origin: str
    stored: StoredTrial
    predictions: FoldPredictions
    metric: Metric
    resize: Resize  # how its images became square
    number_behind: Number | None = None  # the classes

    @property
    def score(self) -> float:
        """Return the study's metric pooled over all folds; more is better."""
        return self.metric.score(self.predictions.targets, self.predictions.probabilities)

    def thresholds(self, config: TrainConfig) -> tuple[float, ...] | None:
        """Return the numbers at which classes begin for its vote, tuned out of fold; None for a trial that tunes none."""
        if not tunes_thresholds(config):
            return None
        assert self.number_behind is not None, "the launch refuses a regression without a number"
        parts = [read_predictions(self.study, self.number, fold) for fold in self.stored.finished_folds]
        return final_thresholds(config, self.number_behind, parts, self.metric)


def check_weights(study: Path, stored: StoredTrial) -> None:
    """Check that a trial's weights can be packed: found out now, the others can still be exported.

    Raises:
        FolderError: one is missing, or was changed since it was written.
    """
    for fold in stored.voting_folds:
        path = trial_path(study, stored.trial) / weights_name(fold)
        if not path.is_file() or sha256_of(path) != stored.files[weights_name(fold)]:
            raise FolderError(f"{path}: is missing or was changed; restore it")


def out_of_fold(study: Path, stored: StoredTrial) -> FoldPredictions:
    """Return the predictions of all folds together, sorted by id.

    Raises:
        FolderError: a file is missing, or changed since it was written.
    """
    for fold in stored.finished_folds:
        path = trial_path(study, stored.trial) / predictions_name(fold)
        if not path.is_file() or sha256_of(path) != stored.files.get(predictions_name(fold)):
            raise FolderError(f"{path}: is missing or was changed since it was written; restore it")
    parts = [read_predictions(study, stored.trial, fold) for fold in stored.finished_folds]
    ids = np.concatenate([part.ids for part in parts])
    order = np.argsort(ids, kind="stable")
    return FoldPredictions(
        ids=ids[order],
        targets=np.concatenate([part.targets for part in parts])[order],
        probabilities=np.concatenate([part.probabilities for part in parts])[order],
    )
