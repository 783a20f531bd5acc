"""A regression with tuned thresholds, judged and finished: cross-fitted over persons, and over all folds for those who vote."""

from collections.abc import Sequence

import numpy as np
import torch

from datasets.numbers import Number
from studies.metrics import Metric, Probabilities, Targets
from studies.trials.predictions import FoldPredictions
from trainables.config import TrainConfig
from trainables.training.classifier import Judged
from trainables.training.heads.head import make_head
from trainables.training.heads.task import Task
from trainables.training.heads.thresholds import Numbers, Score, cross_fitted, tuned
from trainables.training.images.fold_data import FoldData, Rows


def tunes_thresholds(config: TrainConfig) -> bool:
    """Tell whether a trial's thresholds are tuned."""
    return config.head == "regression" and config.thresholds == "tuned"


def counted_probabilities(
    config: TrainConfig, data: FoldData, fold: int, judged: Judged, metric: Metric
) -> Probabilities:
    """Return the probabilities of a fold's images that count: where thresholds are tuned, under those of other persons."""
    if judged.numbers is None or not tunes_thresholds(config):
        return judged.probabilities
    return cross_fitted_probabilities(config, data, data.validation(fold), judged.numbers, metric)


def cross_fitted_probabilities(
    config: TrainConfig, data: FoldData, positions: Rows, numbers: Numbers, metric: Metric
) -> Probabilities:
    """Return probabilities of a fold's images, each under thresholds tuned on persons of the fold that it does not show."""
    assert data.number is not None
    number, targets = data.number, data.targets[positions]
    parts = cross_fitted(
        numbers,
        data.persons[positions],
        number.borders,
        lambda mask: score_of_thresholds(config, number, numbers[mask], targets[mask], metric),
    )
    probabilities = np.empty((len(numbers), len(data.classes)), np.float32)
    for mask, borders in parts:
        probabilities[mask] = probabilities_under(config, number, numbers[mask], borders)
    return probabilities


def score_of_thresholds(
    config: TrainConfig, number: Number, numbers: Numbers, targets: Targets, metric: Metric
) -> Score:
    """Return how thresholds are scored on predicted numbers whose classes are known: as they will be voted by."""
    return lambda borders: metric.score(targets, probabilities_under(config, number, numbers, borders))


def probabilities_under(
    config: TrainConfig, number: Number, numbers: Numbers, borders: tuple[float, ...]
) -> Probabilities:
    """Return the probabilities of predicted numbers when classes begin at `borders`."""
    moved = number.model_copy(update={"borders": borders})
    outputs = torch.from_numpy(np.asarray(moved.scaled(numbers), np.float32)).unsqueeze(1)
    probabilities: Probabilities = make_head(Task(len(borders) + 1, moved), config).probabilities(outputs).numpy()
    return probabilities


def final_thresholds(
    config: TrainConfig, number: Number, folds: Sequence[FoldPredictions], metric: Metric
) -> tuple[float, ...]:
    """Return thresholds tuned on the out-of-fold predictions of several folds: by them a trial's vote is read."""
    numbers = np.concatenate([part.numbers for part in folds if part.numbers is not None])
    targets = np.concatenate([part.targets for part in folds])
    return tuned(numbers, number.borders, score_of_thresholds(config, number, numbers, targets, metric))
