"""Which images an epoch shows, in which order: each once, or drawn so that classes or persons come equally often."""

import numpy as np

from studies.metrics import Targets
from trainables.config import TrainConfig
from trainables.training.images.fold_data import Rows

_ENOUGH = 0.25  # of a batch, for a last one


def epoch_order(config: TrainConfig, groups: Rows | None, generator: np.random.Generator, images: int) -> Rows:
    """Return as many places as there are images; `groups` are the classes or persons that come equally often."""
    if config.sampling == "shuffled" or groups is None:
        return generator.permutation(images)
    counts = np.bincount(groups)
    weights = 1 / counts[groups]
    return generator.choice(images, images, replace=True, p=weights / weights.sum())


def groups_of(config: TrainConfig, targets: Targets, persons: Rows) -> Rows | None:
    """Return the group of every training image that sampling evens out, None for plain shuffling."""
    match config.sampling:
        case "class_weighted":
            return targets
        case "person_balanced":
            return np.unique(persons, return_inverse=True)[1]
        case _:
            return None


def batches_per_epoch(images: int, batch_size: int, last: str = "joined") -> int:
    """Return the number of batches; a last one of a few images joins the one before: a step of its own would be mostly noise.

    `last` is the knob `last_batch`: where it is `short`, only a single image joins (batch norm needs two).
    """
    whole, rest = divmod(images, batch_size)
    fewest = max(2, _ENOUGH * batch_size) if last == "joined" else 2
    return max(1, whole + (rest >= fewest))
