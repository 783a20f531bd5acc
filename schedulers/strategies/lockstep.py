"""Lockstep: all folds of a trial advance together, an epoch each, and Ray's rule judges the score over all of them."""

from dataclasses import dataclass
from typing import ClassVar

from schedulers.strategies.stopping_asha import StoppingAsha
from studies.climb_order import FoldOrder


@dataclass(frozen=True)
class Lockstep(StoppingAsha):
    """A rung costs an epoch of every fold; its score is over all folds."""

    fold_order: ClassVar[FoldOrder] = "lockstep"

    @property
    def rungs(self) -> tuple[int, ...]:
        """Return the rungs of the rule over epochs, times the folds."""
        rungs, epochs = [], self.grace_period
        while epochs < self.epochs:
            rungs.append(epochs * self.folds)
            epochs *= self.reduction_factor
        return (*rungs, self.top)
