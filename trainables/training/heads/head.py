"""What every head has to say, and the targets that it learns from."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from datasets.numbers import Number
from trainables.config import TrainConfig
from trainables.training.heads.registry import HEADS
from trainables.training.heads.task import Task


@dataclass(frozen=True)
class Targets:
    """Soft targets of a batch: shares of the classes (N x classes, rows sum to 1), and of the numbers that were mixed.

    `numbers` and `shares` are N x K: an image that shows shares of K others has their numbers, and as much of each.
    """

    classes: Tensor
    numbers: Tensor | None = None
    shares: Tensor | None = None

    def mixed(self, partner: Tensor, replaced: float) -> "Targets":
        """Return the targets of images of which a share was replaced by their partners'."""
        classes = self.classes * (1 - replaced) + self.classes[partner] * replaced
        if self.numbers is None or self.shares is None:
            return Targets(classes)
        numbers = torch.cat([self.numbers, self.numbers[partner]], dim=1)
        shares = torch.cat([self.shares * (1 - replaced), self.shares[partner] * replaced], dim=1)
        return Targets(classes, numbers, shares)

    def of(self, rows: slice) -> "Targets":
        """Return the targets of some images."""
        numbers, shares = (None if values is None else values[rows] for values in (self.numbers, self.shares))
        return Targets(self.classes[rows], numbers, shares)


class Head(ABC):
    """From a model's outputs (N x `outputs`) to a loss, to probabilities of the true classes, and to a number."""

    def __init__(self, task: Task, config: TrainConfig) -> None:
        self.task, self.config = task, config

    @property
    @abstractmethod
    def outputs(self) -> int:
        """Return how many outputs the model has."""

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Targets) -> Tensor:
        """Return one value per image."""

    @abstractmethod
    def probabilities(self, outputs: Tensor) -> Tensor:
        """Return the probabilities of the true classes, N x classes, in float32."""

    def number(self, outputs: Tensor) -> Tensor | None:
        """Return the predicted number of every image, None for a head that predicts none."""
        return None

    def judge(self, views: Sequence[Tensor]) -> tuple[Tensor, Tensor | None]:
        """Return probabilities and numbers of images of which there are several views: the mean over what each view says."""
        numbers = [number for outputs in views if (number := self.number(outputs)) is not None]
        return mean([self.probabilities(outputs) for outputs in views]), mean(numbers) if numbers else None


def mean(values: Sequence[Tensor]) -> Tensor:
    """Return the mean of tensors; a single one is left as it is."""
    return values[0] if len(values) == 1 else torch.stack(list(values)).mean(dim=0)


def make_head(task: Task, config: TrainConfig) -> Head:
    """Return the head that a configuration names."""
    return HEADS[config.head](task, config)


def number_of(task: Task, head: str) -> Number:
    """Return the number behind a task's label, for a head that cannot do without."""
    assert task.number is not None, f"the launch refuses {head} for a task without a number"
    return task.number
