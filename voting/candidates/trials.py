"""A trial that can vote: the models of the folds that it has finished, with their out-of-fold predictions."""

from collections.abc import Collection
from dataclasses import dataclass, replace
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
class Candidate:
    """A trial with at least one finished fold, and its predictions for the images of `folds`, sorted by id."""

    study: Path
    number: int
    origin: str
    stored: StoredTrial
    predictions: FoldPredictions
    metric: Metric
    resize: Resize  # how its images became square
    number_behind: Number | None = None  # the classes
    folds: tuple[int, ...] = ()  # on which it is compared; at first all that it has

    @property
    def score(self) -> float:
        """Return the study's metric pooled over the folds; more is better."""
        return self.metric.score(self.predictions.targets, self.predictions.probabilities)

    def on(self, folds: Collection[int], ids: Collection[str]) -> "Candidate":
        """Return the same trial compared on some of its folds, which hold these images."""
        kept = np.isin(self.predictions.ids, np.array(list(ids)))
        predictions = FoldPredictions(
            ids=self.predictions.ids[kept],
            targets=self.predictions.targets[kept],
            probabilities=self.predictions.probabilities[kept],
        )
        return replace(self, predictions=predictions, folds=tuple(sorted(folds)))

    def thresholds(self, config: TrainConfig) -> tuple[float, ...] | None:
        """Return the numbers at which classes begin for its vote, tuned out of fold.

        None for a trial that tunes none, and for a trial that is compared on one fold: nothing is fitted on so few persons.
        """
        if not tunes_thresholds(config) or len(self.folds) == 1:
            return None
        assert self.number_behind is not None, "the launch refuses a regression without a number"
        parts = [read_predictions(self.study, self.number, fold) for fold in self.stored.voting_folds]
        return final_thresholds(config, self.number_behind, parts, self.metric)


def check_weights(study: Path, stored: StoredTrial) -> None:
    """Check that a trial's weights can be packed: found out now, the others can still be exported.

    Raises:
        FolderError: a file is missing, or was changed since it was written.
    """
    for fold in stored.voting_folds:
        path = trial_path(study, stored.trial) / weights_name(fold)
        if _digest(path) != stored.files[weights_name(fold)]:
            raise FolderError(f"{path}: is missing or was changed; restore it")


def out_of_fold(study: Path, stored: StoredTrial) -> FoldPredictions:
    """Return the predictions of all folds that can vote together, sorted by id.

    Raises:
        FolderError: a file is missing, or changed since it was written.
    """
    for fold in stored.voting_folds:
        path = trial_path(study, stored.trial) / predictions_name(fold)
        if _digest(path) != stored.files.get(predictions_name(fold)):
            raise FolderError(f"{path}: is missing or was changed since it was written; restore it")
    parts = [read_predictions(study, stored.trial, fold) for fold in stored.voting_folds]
    ids = np.concatenate([part.ids for part in parts])
    order = np.argsort(ids, kind="stable")
    return FoldPredictions(
        ids=ids[order],
        targets=np.concatenate([part.targets for part in parts])[order],
        probabilities=np.concatenate([part.probabilities for part in parts])[order],
    )


def _digest(path: Path) -> str:
    """Return a file's sha256, '' if it is missing: a running search may drop it at any moment."""
    try:
        return sha256_of(path)
    except OSError:
        return ""
