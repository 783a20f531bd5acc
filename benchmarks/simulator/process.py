"""A simulated process of a trial: it takes a climb, trains an epoch a step, and may die, or be left over by a dead driver."""

import random
from dataclasses import dataclass
from typing import Any

from benchmarks.simulator.disk import SimulatedFolders
from benchmarks.simulator.faults import Faults
from studies.record.events import EpochScored
from studies.trials.climb_order import ClimbOrder
from studies.trials.failures import LOST, Failure


@dataclass
class Step:
    """What came of a step: a result, a failure, or both of neither where the process has died."""

    result: dict[str, Any] | None = None
    failure: Failure | None = None


class SimulatedProcess:
    """Trains one climb. What it does to the disk is what `trainables.climber` does."""

    def __init__(self, order: ClimbOrder, disk: SimulatedFolders, dice: random.Random) -> None:
        self.order, self._disk, self._random = order, disk, dice
        self._again = 0  # epochs of a finished fold that were trained again
        self._place.attempt = max(order.attempt, self._place.attempt)
        self.seconds = self._next()  # that its step takes

    @property
    def _place(self) -> Any:
        return self._disk.folds[self.order.trial, self.order.fold]

    @property
    def _lacks_weights(self) -> bool:
        return len(self._place.epochs) == self._disk.epochs and not self._place.has_weights

    @property
    def is_idle(self) -> bool:
        """Tell whether there is nothing to train: the fold stands where it is bound, with its weights."""
        return len(self._place.epochs) >= self.order.epoch and not self._lacks_weights

    def _next(self) -> float:
        return self._random.uniform(0.5, 2.0)

    def step(self, faults: Faults) -> Step:
        """Train one epoch, and say what came of it."""
        self.seconds = self._next()
        if self._place.attempt != self.order.attempt:
            return Step(failure=Failure("superseded", "a newer attempt has the fold"))
        if self.is_idle:
            return Step(self._result(self._place.epochs[-1]))
        if faults.strike("process died before it saved", 0.01):
            return Step(failure=LOST)
        if faults.strike("out of memory", 0.005):
            return Step(failure=Failure("out_of_memory", "memory did not suffice"))
        if faults.strike("not finite", 0.003):
            return Step(failure=Failure("not_finite", "the loss is no number"))
        if faults.strike("could not save", 0.005):
            return Step(failure=Failure("outage", "[Errno 122] Disk quota exceeded"))
        result = self._train_again() if self._lacks_weights else self._train()
        if faults.strike("process died after it saved", 0.01):
            return Step(failure=LOST)
        return Step(result)

    def _train(self) -> dict[str, Any]:
        epoch = len(self._place.epochs)
        line = self._line(epoch)
        self._disk.save(line, self.order.attempt)
        return self._result(line)

    def _train_again(self) -> dict[str, Any]:
        self._again += 1
        if self._again < self._disk.epochs:
            return {"trial": self.order.trial, "fold": self.order.fold, "done": False}
        line = self._place.epochs[-1].model_copy(update={"score": self._random.random()})
        self._disk.replace(line)
        return {**self._result(line), "replaced": True}

    def _line(self, epoch: int) -> EpochScored:
        rate = float(self.order.configuration["learning_rate"])
        score = 1 - abs(rate - 0.7) - 0.5 / (1 + epoch) + self._random.gauss(0, 0.05)
        return EpochScored(
            time=0, trial=self.order.trial, fold=self.order.fold, epoch=epoch, score=score, seconds=self.seconds
        )

    def _result(self, line: EpochScored) -> dict[str, Any]:
        trained = len(self._place.epochs)
        scalars = line.model_dump(exclude={"time", "elapsed", "event"})
        return {**scalars, "epochs": trained, "done": trained >= self.order.epoch}
