"""One loss for hard and soft targets: cross entropy with smoothing, focused by gamma, images weighted by their class.

Focal loss: Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, its (1 - p)^gamma put on every
class's term, so that it also fits the soft targets of cut-mix. gamma 0 is torch's cross entropy with
class probabilities as targets.
"""

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from trainables.config import TrainConfig


def soft_target_loss(
    logits: Tensor, targets: Tensor, *, gamma: float = 0.0, image_weights: Tensor | None = None
) -> Tensor:
    """Return the mean loss of a batch; logits and targets are N x classes, weights one per image."""
    log_probabilities = log_softmax(logits.float(), dim=1)
    terms = -targets * log_probabilities
    if gamma > 0:
        terms = terms * (1 - log_probabilities.exp()).clamp_min(0) ** gamma
    losses = terms.sum(dim=1)
    return (losses if image_weights is None else losses * image_weights).mean()


def smooth(targets: Tensor, smoothing: float) -> Tensor:
    """Return targets of which the share `smoothing` is spread evenly over all classes."""
    return targets * (1 - smoothing) + smoothing / targets.shape[1]


def balanced_weights(counts: Tensor) -> Tensor:
    """Return one weight per class, inverse to its count; the mean weight of an image is 1.

    A class that is absent from training has the weight 0: there is nothing to be balanced.
    """
    present = counts > 0
    weights = counts.sum() / (present.sum() * counts.clamp_min(1).float())
    return torch.where(present, weights, 0.0)


def configured_loss(config: TrainConfig, logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return the loss that a configuration describes; `targets` are N x classes before smoothing, `weights` by class.

    An image weighs what its classes weigh in the shares of its target. Were each term weighted instead, the smoothing
    share of a rare class would pull every image over to it.
    """
    return soft_target_loss(
        logits,
        smooth(targets, config.label_smoothing),
        gamma=config.focal_gamma if config.loss == "focal" else 0.0,
        image_weights=None if weights is None else targets @ weights,
    )


def class_weights(config: TrainConfig, targets: Tensor, classes: int) -> Tensor | None:
    """Return the class weights for these training targets, or None."""
    if config.class_weights == "none":
        return None
    return balanced_weights(torch.bincount(targets, minlength=classes))
