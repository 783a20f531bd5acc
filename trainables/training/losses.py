"""Losses of soft targets by the name that `loss` gives them. Importing them needs no torch: the driver knows them by name.

A loss takes logits and targets, both N x classes (rows of targets sum to 1), and returns one value per image; its
keyword-only arguments are knobs. Smoothing comes before it, class weights after it, the same for every loss.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import plugins
from plugins.registry import Registry, arguments_for

if TYPE_CHECKING:
    from torch import Tensor

    from trainables.config import TrainConfig

LOSSES: Registry[Callable[..., Tensor]] = plugins.LOSSES


@LOSSES.register("cross_entropy")
def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross entropy of every image, as torch's with class probabilities as targets."""
    return -(targets * logits.float().log_softmax(dim=1)).sum(dim=1)


@LOSSES.register("focal")
def focal(logits: Tensor, targets: Tensor, *, focal_gamma: float) -> Tensor:
    """Return the focal loss of every image; gamma 0 is cross entropy.

    Lin et al., "Focal Loss for Dense Object Detection", ICCV 2017, its (1 - p)^gamma put on every class's term, so that
    it also fits the soft targets of cut-mix.
    """
    log_probabilities = logits.float().log_softmax(dim=1)
    focus = (1 - log_probabilities.exp()).clamp_min(0) ** focal_gamma if focal_gamma > 0 else 1.0
    return -(targets * log_probabilities * focus).sum(dim=1)


def smooth(targets: Tensor, smoothing: float) -> Tensor:
    """Return targets of which the share `smoothing` is spread evenly over all classes."""
    return targets * (1 - smoothing) + smoothing / targets.shape[1]


def balanced_weights(counts: Tensor) -> Tensor:
    """Return one weight per class, inverse to its count; the mean weight of an image is 1.

    A class that is absent from training has the weight 0: there is nothing to be balanced.
    """
    present = counts > 0
    weights = counts.sum() / (present.sum() * counts.clamp_min(1).float())
    return weights.where(present, 0.0)


def configured_loss(config: TrainConfig, logits: Tensor, targets: Tensor, weights: Tensor | None) -> Tensor:
    """Return the loss of a batch that a configuration describes; `targets` come before smoothing, `weights` by class.

    An image weighs what its classes weigh in the shares of its target. Were each term weighted instead, the smoothing
    share of a rare class would pull every image over to it.
    """
    loss = LOSSES[config.loss]
    losses = loss(logits, smooth(targets, config.label_smoothing), **arguments_for(loss, config))
    return (losses if weights is None else losses * (targets @ weights)).mean()


def class_weights(config: TrainConfig, targets: Tensor, classes: int) -> Tensor | None:
    """Return the class weights for these training targets, or None."""
    if config.class_weights == "none":
        return None
    return balanced_weights(targets.bincount(minlength=classes))
