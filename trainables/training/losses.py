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
_ROUNDING = 1e-6


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


@LOSSES.register("soft_macro_f1")
def soft_macro_f1(logits: Tensor, targets: Tensor, *, label_smoothing: float) -> Tensor:
    """Return 1 - the macro F1 of a batch with probabilities in the place of votes, the same for every image.

    Only classes count that the batch shows, by more than smoothing. Bénédict et al., "sigmoidF1", TMLR 2022, with softmax.
    """
    probabilities = logits.float().softmax(dim=1)
    both, either = (probabilities * targets).sum(dim=0), (probabilities + targets).sum(dim=0)
    shown = (targets.amax(dim=0) > label_smoothing / targets.shape[1] + _ROUNDING).float()
    return (1 - (2 * both / either.clamp_min(_ROUNDING) * shown).sum() / shown.sum()).expand(len(logits))


@LOSSES.register("mixture")
def mixture(
    logits: Tensor,
    targets: Tensor,
    *,
    focal_gamma: float,
    mixture_focal: float,
    mixture_macro_f1: float,
    label_smoothing: float,
) -> Tensor:
    """Return a share of soft macro F1; of the rest, a share is the focal loss and what is left cross entropy."""
    one_by_one = mixture_focal * focal(logits, targets, focal_gamma=focal_gamma)
    one_by_one = one_by_one + (1 - mixture_focal) * cross_entropy(logits, targets)
    batch = soft_macro_f1(logits, targets, label_smoothing=label_smoothing)
    return mixture_macro_f1 * batch + (1 - mixture_macro_f1) * one_by_one


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


def effective_weights(counts: Tensor, beta: float) -> Tensor:
    """Return one weight per class, inverse to its effective number (1 - beta^n) / (1 - beta); an image weighs 1 on average.

    Cui et al., "Class-Balanced Loss Based on Effective Number of Samples", CVPR 2019. beta 0 weighs nothing, towards 1 it is
    `balanced_weights`.
    """
    effective = (1 - beta ** counts.double()) / (1 - beta)
    weights = (1 / effective.clamp_min(1e-12)).where(counts > 0, 0.0)
    return (weights * counts.sum() / (weights * counts).sum()).float()


def class_loss(config: TrainConfig, logits: Tensor, targets: Tensor) -> Tensor:
    """Return the loss of classes of every image that a configuration describes; `targets` come before smoothing."""
    loss = LOSSES[config.loss]
    losses: Tensor = loss(logits, smooth(targets, config.label_smoothing), **arguments_for(loss, config))
    return losses


def class_weights(config: TrainConfig, targets: Tensor, classes: int) -> Tensor | None:
    """Return the class weights for these training targets, or None.

    An image weighs what its classes weigh in the shares of its target. Were each term weighted instead, the smoothing
    share of a rare class would pull every image over to it.
    """
    if config.sampling == "class_weighted":  # classes come equally often already
        return None
    counts = targets.bincount(minlength=classes)
    if config.class_weights == "effective":
        return effective_weights(counts, config.effective_beta)
    return balanced_weights(counts) if config.class_weights == "balanced" else None
