"""Cut-mix: a part of every image is replaced by that of another, and the targets with it.

Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", ICCV
2019. The vertical half keeps faces apart at the nose line; the competition's best teams used it.
"""

import numpy as np
from torch import Tensor

from trainables.config import TrainConfig


def cutmix(
    images: Tensor, targets: Tensor, config: TrainConfig, generator: np.random.Generator
) -> tuple[Tensor, Tensor]:
    """Return a batch, cut-mixed with the configured probability.

    images: N x 3 x H x W; targets: N x classes, rows sum to 1. The targets follow the area that was
    really replaced. The inputs are left as they are.
    """
    if generator.random() >= config.cutmix_probability:
        return images, targets
    kept = 0.5 if config.cutmix_lambda == "half" else generator.beta(config.cutmix_alpha, config.cutmix_alpha)
    top, bottom, left, right = cut_box(images.shape[2], images.shape[3], kept, config.cutmix_shape, generator)
    partner = generator.permutation(len(images))
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    replaced = (bottom - top) * (right - left) / (images.shape[2] * images.shape[3])
    return mixed, targets * (1 - replaced) + targets[partner] * replaced


def cut_box(
    height: int, width: int, kept: float, shape: str, generator: np.random.Generator
) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right of the part to replace, about 1 - `kept` of the area.

    A box is centred anywhere and cut off at the border, as published; a vertical half is the left or
    right side, full height.
    """
    if shape == "vertical_half":
        cut = round((1 - kept) * width)
        left = 0 if generator.random() < 0.5 else width - cut
        return 0, height, left, left + cut
    half_height, half_width = np.sqrt(1 - kept) * height / 2, np.sqrt(1 - kept) * width / 2
    y, x = generator.integers(height), generator.integers(width)
    rows = np.clip([round(y - half_height), round(y + half_height)], 0, height)
    columns = np.clip([round(x - half_width), round(x + half_width)], 0, width)
    return int(rows[0]), int(rows[1]), int(columns[0]), int(columns[1])
