"""Ordinal: one output a border between neighbouring classes; is the image above it, given that it is above the one before?

Shi, Cao and Raschka, "Deep Neural Networks for Rank-Consistent Ordinal Regression Based On Conditional Probabilities" (CORN),
2021: P(y > k) is a product of conditional probabilities, so that it never rises with k. The loss there is the cross entropy
of the classes that these probabilities imply, written out; taken as log-probabilities, any loss of classes applies.
"""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from trainables.training.heads.head import Head, Targets
from trainables.training.losses import class_loss


class Ordinal(Head):
    """Classes in order, by conditional probabilities of being above each border."""

    @property
    def outputs(self) -> int:
        return self.task.classes - 1

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Return the configured loss of every image, on the log-probabilities that the outputs imply."""
        return class_loss(self.config, log_probabilities(outputs), targets.classes)

    def probabilities(self, outputs: Tensor) -> Tensor:
        return log_probabilities(outputs).exp()


def log_probabilities(outputs: Tensor) -> Tensor:
    """Return the logarithm of every class's probability, N x (borders + 1): above all borders before it, below its own."""
    above, below = logsigmoid(outputs.float()), logsigmoid(-outputs.float())
    passed = torch.cat([above.new_zeros(len(above), 1), above.cumsum(dim=1)], dim=1)
    return passed + torch.cat([below, below.new_zeros(len(below), 1)], dim=1)
