"""Which weights of a fold judge and vote: the last, the best epoch's, a moving average, or the mean over the last epochs."""

from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import update_bn

from trainables.config import TrainConfig

Weights = dict[str, Tensor]


class KeptWeights:
    """Follows a model through training and says which weights are kept.

    A moving average is taken of batch norm's statistics, too. `best` is chosen by the score of the very fold that it is judged
    on: its score is biased upwards, the more the noisier epochs are.
    """

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self._model, self._config = model, config
        self._average: Average | None = None
        self._averaged = 0  # steps or epochs in the average
        self._best: nn.Module | None = None
        self._best_score: float | None = None
        if config.kept_weights == "ema":
            self._average = Average(model)

    def after_step(self) -> None:
        """Take a step of the optimizer in."""
        if self._config.kept_weights == "ema" and self._average is not None:
            self._averaged += 1
            self._average.move(1 - corrected_decay(self._config.ema_decay, self._averaged))

    def after_epoch(self, epoch: int) -> None:
        """Take the end of an epoch, counted from 0, in."""
        if self._config.kept_weights != "swa" or epoch < self._config.epochs - self._config.swa_epochs:
            return
        if self._average is None:
            self._average = Average(self._model)
        self._averaged += 1
        self._average.move(1 / self._averaged)

    @property
    def lacks_statistics(self) -> bool:
        """Tell whether the mean over epochs has batch norm's statistics of no model: they are to be estimated."""
        estimated = self._config.kept_weights == "swa" and self._config.swa_statistics == "estimated"
        return estimated and self._averaged > 1

    def estimate_statistics(self, images: Iterable[Tensor]) -> None:
        """Estimate batch norm's statistics of the mean on batches of normalised training images."""
        update_bn(images, self.judged())

    def judged(self) -> nn.Module:
        """Return the model that an epoch is judged by."""
        return self._model if self._average is None else self._average.module

    def kept(self) -> nn.Module:
        """Return the model that votes, as things stand."""
        return self.judged() if self._best is None else self._best

    def improves(self, score: float) -> bool:
        """Take the score of an epoch in, and tell whether its weights are kept instead of those before; for `best` alone."""
        if self._best_score is not None and score <= self._best_score:
            return False
        if self._best is None:
            self._best = deepcopy(self._model).requires_grad_(False)
        self._best.load_state_dict(self._model.state_dict())
        self._best_score = score
        return True

    def weights(self) -> Weights:
        """Return what votes, on the CPU."""
        return {name: value.detach().cpu().contiguous() for name, value in self.kept().state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Return all that the next epoch depends on, beside the model."""
        average = None if self._average is None else self.judged().state_dict()
        best = None if self._best is None else self._best.state_dict()
        return {"average": average, "averaged": self._averaged, "best": best, "best_score": self._best_score}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        if state["average"] is not None:
            if self._average is None:
                self._average = Average(self._model)
            self._average.module.load_state_dict(state["average"])
        if state["best"] is not None:
            self._best = deepcopy(self._model).requires_grad_(False)
            self._best.load_state_dict(state["best"])
        self._averaged, self._best_score = state["averaged"], state["best_score"]


class Average:
    """A copy of a model whose weights and statistics move towards those of the original."""

    def __init__(self, model: nn.Module) -> None:
        self.module = deepcopy(model).requires_grad_(False).eval()
        # gathered once: a walk through two models for every step costs more than the step of a small net on a GPU
        pairs = list(zip(self.module.state_dict().values(), model.state_dict().values(), strict=True))
        numbers = [pair for pair in pairs if pair[0].is_floating_point()]
        self._means, self._values = [mean for mean, _ in numbers], [value for _, value in numbers]
        self._counters = [pair for pair in pairs if not pair[0].is_floating_point()]

    @torch.no_grad()
    def move(self, share: float) -> None:
        """Move by a share of the way; what counts, such as batches, becomes equal."""
        torch._foreach_lerp_(self._means, self._values, share)
        for counter, value in self._counters:
            counter.copy_(value)


def corrected_decay(decay: float, step: int) -> float:
    """Return by how much the average of a step, counted from 1, stays, so that what was before the first step has no part.

    The average is then the exponentially weighted mean of the weights after every step, corrected as Adam corrects its moments
    (Kingma and Ba, ICLR 2015): a short training is not judged by the weights that it began with.
    """
    return decay * (1 - decay ** (step - 1)) / (1 - decay**step)
