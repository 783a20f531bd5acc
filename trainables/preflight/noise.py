"""Noise as data: what the pixels show costs no time, and a learner trains on it as on anybody's images."""

import numpy as np

from datasets.numbers import Number
from trainables.config import TrainConfig
from trainables.training.images.fold_data import FoldData


def noise(config: TrainConfig, training: int, validation: int, classes: int = 3) -> FoldData:
    """Return so many images to train on and to validate, fold 0, of the configuration's size; with a number behind the label."""
    count, size = training + validation, config.image_size
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    rows = np.arange(count)
    folds, targets = (rows >= validation).astype(np.int64), rows % classes
    numbers = targets.astype(float)
    number = Number.of(numbers, [place - 0.5 for place in range(1, classes)], folds)
    names = tuple(map(str, range(classes)))
    return FoldData("noise", names, rows.astype(np.str_), folds, targets, rows, rows, images, number, numbers)
