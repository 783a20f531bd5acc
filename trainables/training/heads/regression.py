"""Regression: one output, the number behind the label; its classes follow from the borders.

The number is scaled to mean 0 and standard deviation 1 (statistics of all images outside the holdout: a fixed change of units).
Error model: the predicted number is normally distributed around the true one, `regression_sigma` standard deviations wide.
`thresholds: bayes` asks which true numbers it may stand for, and how often those occur in training; `borders` and `tuned` take
what of the error lies between the borders of a class, or between thresholds that were tuned out of fold.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import huber_loss, l1_loss, mse_loss

from trainables.training.heads.class_shares import class_shares
from trainables.training.heads.head import Head, Targets, mean, number_of

LOSSES_OF_NUMBERS: dict[str, Callable[..., Tensor]] = {"l1": l1_loss, "l2": mse_loss, "huber": huber_loss}


class Regression(Head):
    """The number itself."""

    @property
    def outputs(self) -> int:
        return 1

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Return the loss of every image; of a mixed one, that of each number by its share."""
        assert targets.numbers is not None
        assert targets.shares is not None
        scaled = number_of(self.task, "regression").scaled(targets.numbers)
        each = LOSSES_OF_NUMBERS[self.config.regression_loss](
            outputs.float().expand_as(scaled), scaled, reduction="none"
        )
        return (each * targets.shares).sum(dim=1)

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Return the classes' shares of the true numbers near a predicted one, or of the error between thresholds."""
        number, sigma = number_of(self.task, "regression"), self.config.regression_sigma
        if self.config.thresholds == "bayes":
            return class_shares(number, outputs[:, 0].float(), sigma)
        borders = number.scaled(torch.tensor([number.borders], device=outputs.device))
        return between(torch.special.ndtr((borders - outputs.float()) / sigma))

    def judge(self, views: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
        """Return the class of the mean number: thresholds are tuned on it, so they must be applied to it."""
        return super().judge([mean(views)])

    def number(self, outputs: Tensor) -> Tensor:
        number: Tensor = number_of(self.task, "regression").unscaled(outputs[:, 0].float())
        return number


def between(below: Tensor) -> Tensor:
    """Return the probability of every class, N x (borders + 1), from that of lying below each border, N x borders."""
    ends = torch.cat([below.new_zeros(len(below), 1), below, below.new_ones(len(below), 1)], dim=1)
    return (ends[:, 1:] - ends[:, :-1]).clamp_min(0)
