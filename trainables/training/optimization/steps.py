"""Steps of the optimizer: forward and backward passes of one or more batches, clipped, with a loss scale where one is needed."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trainables.config import TrainConfig
from trainables.training.devices import Placement
from trainables.training.heads.head import Head, Targets

Forward = Callable[[Tensor], Tensor]
_ENOUGH = 0.25  # of a step's batches, for a last one


class Steps:
    """Gathers the gradients of batches and steps when enough have come."""

    def __init__(self, model: nn.Module, optimizer: Optimizer, config: TrainConfig, placement: Placement) -> None:
        self._model, self._optimizer, self._config, self._placement = model, optimizer, config, placement
        self._scaler = torch.amp.GradScaler(placement.device.type, enabled=placement.dtype == torch.float16)

    @property
    def skips_overflows(self) -> bool:
        """Tell whether a step whose gradients are no numbers is left out, as a loss scale does in float16."""
        return bool(self._scaler.is_enabled())

    def backward(self, loss: Tensor, share: float) -> None:
        """Add the gradients of a batch that makes this share of a step."""
        torch.autograd.backward(self._scaler.scale(loss * share if share != 1 else loss))

    def step(self) -> None:
        """Clip what was gathered and update the weights."""
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), self._config.clip_gradient)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad(set_to_none=True)

    def loss(self, forward: Forward, head: Head, images: Tensor, targets: Targets, weights: Tensor | None) -> Tensor:
        """Return the mean loss of a batch; `weights` are those of the classes."""
        with self._placement.autocast():
            losses = head.loss(forward(images), targets)
        return (losses if weights is None else losses * (targets.classes @ weights)).mean()

    def state(self) -> dict[str, Any]:
        """Return the loss scale."""
        return self._scaler.state_dict()

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on with a loss scale; a state that was left without one goes on with a fresh one."""
        if state:
            self._scaler.load_state_dict(state)


def step_sizes(batches: int, accumulation: int, last: str = "joined") -> list[int]:
    """Return of how many batches every step of an epoch is made; a few that are left join the last step, more make another.

    `last` is the knob `last_batch`: where it is `short`, a single one makes a step.
    """
    whole, rest = divmod(batches, accumulation)
    if rest == 0:
        return [accumulation] * whole
    if whole and last == "joined" and rest < _ENOUGH * accumulation:
        return [accumulation] * (whole - 1) + [accumulation + rest]
    return [accumulation] * whole + [rest]
