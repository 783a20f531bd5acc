"""Label distribution: a distribution over the number's range, cut into equal steps; the target is a Gaussian around the number.

Gao et al., "Deep Label Distribution Learning with Label Ambiguity", IEEE TIP 2017; with the error of the expected number beside
the Kullback-Leibler divergence, as in Gao et al., "Age Estimation Using Expectation of Label Distribution Learning", IJCAI 2018.
"""

import torch
from torch import Tensor

from trainables.config import TrainConfig
from trainables.training.heads.class_shares import class_shares
from trainables.training.heads.head import Head, Targets, number_of
from trainables.training.heads.task import Task


class LabelDistribution(Head):
    """Softmax over steps of the number."""

    def __init__(self, task: Task, config: TrainConfig) -> None:
        super().__init__(task, config)
        number = number_of(task, "label_distribution")
        self._steps = torch.linspace(number.low, number.high, config.distribution_bins)  # what each step stands for
        self._shares = class_shares(number, number.scaled(self._steps), config.distribution_sigma)
        self._width = config.distribution_sigma * number.std

    @property
    def outputs(self) -> int:
        return self.config.distribution_bins

    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Return divergence plus the scaled error of the expected number, of every image."""
        assert targets.numbers is not None
        assert targets.shares is not None
        wanted = (self._gaussians(targets.numbers) * targets.shares.unsqueeze(2)).sum(dim=1)
        log_probabilities = outputs.float().log_softmax(dim=1)
        divergence: Tensor = (torch.special.xlogy(wanted, wanted) - wanted * log_probabilities).sum(dim=1)
        error = (self.number(outputs) - (targets.numbers * targets.shares).sum(dim=1)).abs()
        total: Tensor = divergence + error / number_of(self.task, "label_distribution").std
        return total

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Return the sum over the steps of every class's share of a step."""
        return outputs.float().softmax(dim=1) @ self._shares.to(outputs.device)

    def number(self, outputs: Tensor) -> Tensor:
        """Return the expected number."""
        expected: Tensor = outputs.float().softmax(dim=1) @ self._steps.to(outputs.device)
        return expected

    def _gaussians(self, numbers: Tensor) -> Tensor:
        """Return the target distribution of every number, N x K x steps."""
        distance = (numbers.unsqueeze(2) - self._steps.to(numbers.device)) / self._width
        return (-distance.square() / 2).softmax(dim=2)
