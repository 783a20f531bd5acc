"""Learning-rate schedules, changed every step and without a state: timm's, and one-cycle."""

from math import cos, pi

from timm.scheduler import create_scheduler_v2
from timm.scheduler.scheduler import Scheduler
from torch.optim import Optimizer

from trainables.config import TrainConfig


class OneCycle(Scheduler):
    """Up to the peak by half a cosine, then down to nearly nothing by another.

    Smith and Topin, "Super-Convergence", 2018; the numbers are those of torch.optim.lr_scheduler.OneCycleLR.
    """

    RISE, START, END = 0.3, 1 / 25, 1 / 25e4  # share of the steps that rise; rates at both ends, as shares of the peak

    def __init__(self, optimizer: Optimizer, steps: int) -> None:
        super().__init__(optimizer, "lr", t_in_epochs=False)
        self._steps = steps
        self.step_update(0)

    def _get_lr(self, t: int) -> list[float]:
        turn = self.RISE * self._steps - 1
        if t <= turn:
            share = _between(self.START, 1.0, t / turn)
        else:
            share = _between(1.0, self.END, min(1.0, (t - turn) / (self._steps - 1 - turn)))
        return [peak * share for peak in self.base_values]


def make_schedule(optimizer: Optimizer, config: TrainConfig, steps_per_epoch: int) -> Scheduler:
    """Return the configured schedule of an optimizer's rate."""
    if config.schedule == "one_cycle":
        return OneCycle(optimizer, max(2, config.epochs * steps_per_epoch))
    schedule, _ = create_scheduler_v2(
        optimizer,
        config.schedule,
        config.epochs,
        decay_epochs=config.decay_epochs,
        decay_rate=config.decay_rate,
        warmup_lr=config.learning_rate / 100,
        warmup_epochs=config.warmup_epochs,
        step_on_epochs=False,
        updates_per_epoch=steps_per_epoch,
    )
    return schedule


def _between(begin: float, end: float, way: float) -> float:
    """Return where a cosine stands on its way, from 0 to 1."""
    return end + (begin - end) / 2 * (1 + cos(pi * way))
