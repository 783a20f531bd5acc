"""A trial's very first training batch as a picture: augmented and mixed as it was trained on, made again from its seeds."""

from math import ceil, sqrt
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import one_hot

from trainables.config import TrainConfig
from trainables.training.heads.head import Targets
from trainables.training.images.batches import TrainingBatches
from trainables.training.images.fold_data import load_fold_data
from trainables.training.images.mixing import mix, mixes
from trainables.training.seeds import derived_generator

_SHOWN = 36  # images
_GAP = 2  # pixels between them


def first_batch(study: Path, trial: int, config: TrainConfig) -> npt.NDArray[np.uint8]:
    """Return the first images of the batch as a grid, H x W x 3.

    Raises:
        OSError: the decoded images are gone.
    """
    data = load_fold_data(study)
    stream = (config.seed, trial if config.as_trial is None else config.as_trial, 0)
    pixels, places = TrainingBatches(data, data.training(0), config, stream)[(0, 0)]
    images = pixels.permute(0, 3, 1, 2).float()
    if mixes(config, 0):
        classes = one_hot(torch.from_numpy(data.targets)[places], len(data.classes)).float()
        images, _ = mix(images, Targets(classes), config, derived_generator(*stream, 0, 2))
    return _grid(images.clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()[:_SHOWN])


def _grid(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return N x H x W x 3 images side by side, in rows of about as many as there are rows."""
    count, height, width, _ = images.shape
    columns = ceil(sqrt(count))
    rows = ceil(count / columns)
    grid = np.full((rows * (height + _GAP), columns * (width + _GAP), 3), 255, np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * (height + _GAP), place % columns * (width + _GAP)
        grid[top : top + height, left : left + width] = image
    return grid
