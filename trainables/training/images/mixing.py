"""Mixing two images: cut-mix replaces a part of one by that of another, mix-up blends them; the targets follow.

Yun et al., "CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features", ICCV 2019. The vertical
half keeps faces apart at the nose line; the competition's best teams used it. Zhang et al., "mixup: Beyond Empirical Risk
Minimization", ICLR 2018.
"""

import numpy as np
import torch
from torch import Tensor

from trainables.config import TrainConfig
from trainables.training.heads.head import Targets


def mix(
    images: Tensor, targets: Targets, config: TrainConfig, generator: np.random.Generator
) -> tuple[Tensor, Targets]:
    """Return a batch, cut-mixed or else mixed up with the configured probabilities; the inputs are left as they are.

    images: N x 3 x H x W. The targets follow the area that was really replaced.
    """
    if generator.random() < config.cutmix_probability:
        return cutmix(images, targets, config, generator)
    if config.mixup_probability and generator.random() < config.mixup_probability:
        return mixup(images, targets, config.mixup_alpha, generator)
    return images, targets


def mixes(config: TrainConfig, epoch: int) -> bool:
    """Tell whether anything is mixed in an epoch, counted from 0."""
    return epoch < config.epochs - config.unmixed_epochs


def cutmix(
    images: Tensor, targets: Targets, config: TrainConfig, generator: np.random.Generator
) -> tuple[Tensor, Targets]:
    """Return a batch in which a part of every image is replaced by that of another."""
    kept = kept_share(config, generator)
    top, bottom, left, right = cut_box(images.shape[2], images.shape[3], kept, config.cutmix_shape, generator)
    partner = torch.from_numpy(generator.permutation(len(images)))
    mixed = images.clone()
    mixed[:, :, top:bottom, left:right] = images[partner, :, top:bottom, left:right]
    replaced = (bottom - top) * (right - left) / (images.shape[2] * images.shape[3])
    return mixed, targets.mixed(partner.to(targets.classes.device), replaced)


def mixup(images: Tensor, targets: Targets, alpha: float, generator: np.random.Generator) -> tuple[Tensor, Targets]:
    """Return a batch in which every image is blended with another, by a share drawn from Beta."""
    kept = generator.beta(alpha, alpha)
    partner = torch.from_numpy(generator.permutation(len(images)))
    blended = images * kept + images[partner.to(images.device)] * (1 - kept)
    return blended, targets.mixed(partner.to(targets.classes.device), 1 - kept)


def kept_share(config: TrainConfig, generator: np.random.Generator) -> float:
    """Return the share of an image that cut-mix is to keep."""
    match config.cutmix_lambda:
        case "half":
            return 0.5
        case "fixed":
            return config.cutmix_kept
        case "uniform":
            low, high = config.cutmix_kept - config.cutmix_band, config.cutmix_kept + config.cutmix_band
            return float(np.clip(generator.uniform(low, high), 0, 1))
        case "beta":
            return float(generator.beta(config.cutmix_alpha, config.cutmix_alpha))


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
