"""The score of a rung: the metric of the pooled predictions of exactly its folds."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from studies.metrics import Metric
from studies.trials.predictions import FoldPredictions, read_predictions


def pooled_score(parts: Sequence[FoldPredictions], metric: Metric) -> float:
    """Return the metric of the predictions of several folds together; more is better."""
    targets = np.concatenate([part.targets for part in parts])
    return metric.score(targets, np.concatenate([part.probabilities for part in parts]))


def score_of_folds(study: Path, trial: int, folds: int, metric: Metric) -> float:
    """Return the pooled score of a trial's first folds, which are finished.

    Raises:
        FolderError: the predictions of one are missing or damaged.
    """
    return pooled_score([read_predictions(study, trial, fold) for fold in range(folds)], metric)
