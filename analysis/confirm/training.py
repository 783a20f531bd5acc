"""A configuration trained again on all folds of another split, with another seed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.model_selection import StratifiedGroupKFold

from datasets.numbers import Number
from studies.metrics import METRICS, Metric, Probabilities
from studies.study import load_plugins_of
from studies.study_folder import StudyFolder
from trainables.config import configured
from trainables.training.classifier import Judged
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.heads.tuning import counted_probabilities
from trainables.training.images.fold_data import FoldData, load_fold_data

_OTHER_SEEDS = 1_000  # far from those of a search


@dataclass(frozen=True)
class Job:
    """One configuration in one repeat."""

    study: Path
    name: str
    configuration: Mapping[str, Any]
    repeat: int
    metric: str
    precision: str | None = None  # what `auto` stands for
    micro_batches: int = 1


@dataclass(frozen=True)
class Again:
    """What a configuration scored in a repeat; more is better."""

    name: str
    repeat: int
    score: float  # pooled over the folds
    fold_scores: tuple[float, ...]


def trained_again(job: Job, resources: Resources) -> Again:
    """Train a configuration on all folds of a repeat's split."""
    load_plugins_of(StudyFolder(job.study), launched=True)  # the process that asks was allowed to
    torch.set_num_threads(resources.cpus)
    data = redealt(load_fold_data(job.study), _OTHER_SEEDS + job.repeat)
    base = configured(job.configuration)
    config = base.model_copy(update={"seed": base.seed + _OTHER_SEEDS + job.repeat})
    metric = METRICS[job.metric]
    placement = place(config, resources, job.precision)
    learners = (
        FoldLearner(config, data, 0, fold, placement, micro_batches=job.micro_batches)
        for fold in range(data.fold_count)
    )
    said = [_fold(learner, fold, metric) for fold, learner in enumerate(learners)]
    held_out = [data.validation(fold) for fold in range(data.fold_count)]
    scores = [metric.score(data.targets[rows], one) for rows, one in zip(held_out, said, strict=True)]
    pooled = metric.score(data.targets[np.concatenate(held_out)], np.concatenate(said))
    return Again(job.name, job.repeat, pooled, tuple(scores))


def redealt(data: FoldData, seed: int) -> FoldData:
    """Return the same images in other folds, no person in two of them, classes spread evenly."""
    dealer = StratifiedGroupKFold(data.fold_count, shuffle=True, random_state=seed)
    folds = np.empty_like(data.folds)
    for fold, (_, own) in enumerate(dealer.split(data.targets, data.targets, data.persons)):
        folds[own] = fold
    number = data.number
    if number is not None and data.numbers is not None:
        number = Number.of(data.numbers, number.borders, folds)
    return replace(data, folds=folds, number=number)


def _fold(learner: FoldLearner, fold: int, metric: Metric) -> Probabilities:
    """Train a fold's learner and return the probabilities of the images that it has not seen."""
    config, data = learner.config, learner.data
    rows, said = data.validation(fold), None

    def score(judged: Judged) -> float:
        return metric.score(data.targets[rows], counted_probabilities(config, data, fold, judged, metric))

    try:
        for epoch in range(config.epochs):
            learner.train_epoch(epoch)
            said = learner.judge_epoch(score)
    finally:
        learner.close()
    assert said is not None, "a configuration has epochs"
    return counted_probabilities(config, data, fold, said, metric)
