"""One model on one fold: made anew, trained an epoch at a time, able to stop and go on to the last digit."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from trainables.config import TrainConfig
from trainables.training.classifier import Classifier, Judged, Normalisation, exact_float32
from trainables.training.compiling import Outputs, compiled, with_rates_as_tensors
from trainables.training.devices import Placement
from trainables.training.heads.head import Targets, make_head
from trainables.training.images.batches import BatchLoader, TrainingBatches, gather
from trainables.training.images.fold_data import FoldData, Rows
from trainables.training.images.mixing import mix, mixes
from trainables.training.losses import LOSSES, class_weights
from trainables.training.memory import Chunks
from trainables.training.models import normalisation, seeded_model
from trainables.training.optimization.freezing import Freezing, check_layers
from trainables.training.optimization.kept_weights import KeptWeights
from trainables.training.optimization.optimizers import load_optimizer, make_optimizer
from trainables.training.optimization.schedules import make_schedule
from trainables.training.optimization.steps import Steps, step_sizes
from trainables.training.seeds import derived_generator, derived_seed
from trainables.training.stopwatch import TrainingClock

OVERFLOWS = 0.1  # of an epoch's images may be in batches that overflow: the loss scale falls until they do not


class NotFinite(ValueError):
    """A loss or a prediction that is no number: the configuration does not train."""


@dataclass(frozen=True)
class EpochOutcome:
    """What one training epoch was like; `waited` are the seconds in which no batch was there, a GPU's are by its own events."""

    loss: float
    learning_rate: float
    images_per_second: float
    waited: float = 0.0
    device_seconds: float | None = None


class FoldLearner:
    """Trains the configured model on every fold but one."""

    def __init__(
        self,
        config: TrainConfig,
        data: FoldData,
        trial: int,
        fold: int,
        placement: Placement,
        *,
        micro_batches: int = 1,
    ) -> None:
        """Make the model anew; a batch is trained in so many parts where memory does not suffice for the whole.

        The gradients are those of the whole batch, but batch norm sees the images of a part, and a loss over a batch, such as
        soft macro F1, is that of the parts.
        """
        self.config, self.data, self.placement = config, data, placement
        self._micro_batches = micro_batches
        self._stream = (config.seed, trial if config.as_trial is None else config.as_trial, fold)
        self._training, self._validation = data.training(fold), data.validation(fold)
        self._head = make_head(data.head_task(fold), config)
        LOSSES.get(config.loss)  # imported now: an import may draw random numbers, and those of an epoch are its own
        model = seeded_model(config, self._head.outputs, derived_seed(*self._stream))
        check_layers(model, config)
        if placement.compile is not None:
            with_rates_as_tensors(model)
        self.model = model.to(placement.device).to(memory_format=torch.channels_last)
        self._compiled = None if placement.compile is None else compiled(self.model, placement.compile)
        self._normalised = Normalisation.of(*normalisation(config.backbone), placement.device)
        batches = TrainingBatches(data, self._training, config, self._stream)
        self._loader = BatchLoader(batches, placement.workers, pinned=placement.device.type == "cuda")
        self._classes = torch.tensor(data.targets, device=placement.device)
        numbers = None if data.numbers is None else torch.tensor(data.numbers, dtype=torch.float32)
        self._numbers = None if numbers is None else numbers.to(placement.device)
        pixels, by_memory = placement.evaluation_pixels, not config.deterministic
        self._chunks = Chunks.on(placement.device, pixels, config.image_size, by_memory=by_memory)
        self._sizes = step_sizes(batches.per_epoch, config.accumulation, config.last_batch)
        self._optimizer = make_optimizer(self.model, config)
        self._schedule = make_schedule(self._optimizer, config, len(self._sizes))
        self._freezing, self._kept = Freezing(self.model, config), KeptWeights(self.model, config)
        self._steps = Steps(self.model, self._optimizer, config, placement)
        targets = torch.from_numpy(data.targets[self._training])
        weights = class_weights(config, targets, len(data.classes))
        self._weights = None if weights is None else weights.to(placement.device)

    def train_epoch(self, epoch: int) -> EpochOutcome:
        """Train one epoch (counted from 0).

        Raises:
            NotFinite: the loss is no number.
        """
        stream = (*self._stream, epoch)
        device = self.placement.device
        total, overflows, started = torch.zeros((), device=device), torch.zeros((), device=device), time.perf_counter()
        clock = TrainingClock(device)
        self.model.train()
        self._freezing.apply(epoch)
        with torch.random.fork_rng(devices=self._gpus()):
            torch.manual_seed(derived_seed(*stream, 3))
            mixing, batches = derived_generator(*stream, 2), clock.waiting(self._loader.epoch(epoch))
            for step, size in enumerate(self._sizes):
                self._schedule.step_update(epoch * len(self._sizes) + step)
                images = self._images_of(step)
                for _ in range(size):
                    pixels, rows = next(batches)
                    with clock.computing():
                        loss = self._train_batch(pixels, rows, epoch, mixing, len(pixels) / images) * len(pixels)
                    if self._steps.skips_overflows:  # one batch that is no number in float16 changes no weights
                        overflows += (~loss.isfinite()).float() * len(pixels)
                        loss = loss.nan_to_num(0.0, 0.0, 0.0)
                    total += loss
                with clock.computing():
                    self._steps.step()
                    self._kept.after_step()
            list(batches)  # lets a loader with processes of its own come to its end
        mean = mean_loss(float(total), float(overflows), len(self._training), epoch)
        speed = len(self._training) / (time.perf_counter() - started)
        self._keep_weights(epoch)
        rate = max(float(group["lr"]) for group in self._optimizer.param_groups)
        return EpochOutcome(mean, rate, speed, clock.waited, clock.device_seconds)

    def _keep_weights(self, epoch: int) -> None:
        """Take the end of an epoch into the kept weights, with a pass over its images where statistics are to be estimated."""
        self._kept.after_epoch(epoch)
        if not self._kept.lacks_statistics:
            return
        with torch.random.fork_rng(devices=self._gpus()):
            torch.manual_seed(derived_seed(*self._stream, epoch, 4))
            self._kept.estimate_statistics(self._normalised(pixels) for pixels, _ in self._loader.epoch(epoch))

    def _images_of(self, step: int) -> int:
        """Return how many images make a step of an epoch; the last takes what is left."""
        before = sum(self._sizes[:step]) * self.config.batch_size
        if step + 1 < len(self._sizes):
            return self._sizes[step] * self.config.batch_size
        return len(self._training) - before

    def judge_epoch(self, score: Callable[[Judged], float], *, last: bool = True) -> Judged:
        """Return what the kept weights say about the left-out fold, the epoch just trained taken in by its score there."""
        fast = self.config.validation_precision == "training" and not last
        judged = self._judge(self._kept.judged(), self._validation, fast=fast)
        if self.config.kept_weights != "best" or self._kept.improves(score(judged)):
            return judged  # a score may take time, as thresholds are tuned for it: only who chooses an epoch needs it
        return self.judge_validation()

    def judge_validation(self) -> Judged:
        """Return what the kept weights say about the left-out fold's images, in their order."""
        return self._judge(self._kept.kept(), self._validation)

    def judge(self, data: FoldData) -> Judged:
        """Return what the kept weights say about other images."""
        return self._judge(self._kept.kept(), np.arange(len(data.ids)), data)

    def _judge(self, model: nn.Module, positions: Rows, data: FoldData | None = None, *, fast: bool = False) -> Judged:
        """Return what a model says about images, in float32 whatever the training's precision, but for `fast`.

        Raises:
            NotFinite: a probability is no number.
        """
        classifier = Classifier(model, self._head, self._normalised, self.placement.autocast if fast else exact_float32)
        images = data or self.data
        judged = self._chunks.judged(classifier, len(positions), lambda some: gather(images, positions[some]))
        if not np.isfinite(judged.probabilities).all():
            raise NotFinite("a predicted probability is no number; a lower learning rate may help")
        return judged

    def close(self) -> None:
        """End the processes that load batches."""
        self._loader.close()

    def weights(self) -> dict[str, Tensor]:
        """Return the kept weights on the CPU."""
        return self._kept.weights()

    def state(self) -> dict[str, Any]:
        """Return all that the next epoch depends on: model, optimizer, loss scale, averages. No generator state."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._steps.state(),
            "kept": self._kept.state(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        load_optimizer(self._optimizer, state["optimizer"])
        self._steps.load_state(state["scaler"])
        if "kept" in state:
            self._kept.load_state(state["kept"])

    def _train_batch(
        self, pixels: Tensor, places: Tensor, epoch: int, mixing: np.random.Generator, share: float
    ) -> Tensor:
        images, targets = self._normalised(pixels), self._targets(places)
        if mixes(self.config, epoch):
            images, targets = mix(images, targets, self.config, mixing)
        whole = torch.zeros((), device=images.device)
        for some in parts_of(len(images), self._micro_batches):
            loss = self._steps.loss(self._outputs, self._head, images[some], targets.of(some), self._weights)
            fraction = (some.stop - some.start) / len(images)
            self._steps.backward(loss, share * fraction)
            whole += loss.detach() * fraction
        return whole

    def _targets(self, places: Tensor) -> Targets:
        """Return the targets of the images at these positions."""
        rows = places.to(self.placement.device, non_blocking=True)
        soft = one_hot(self._classes[rows], len(self.data.classes)).float()
        if self._numbers is None:
            return Targets(soft)
        numbers = self._numbers[rows].unsqueeze(1)
        return Targets(soft, numbers, torch.ones_like(numbers))

    def _outputs(self, images: Tensor) -> Tensor:
        whole = len(images) == self.config.batch_size  # every other size would be compiled for itself
        forward: Outputs = self._compiled if self._compiled is not None and whole else self.model
        return forward(images)

    def _gpus(self) -> list[int]:
        return [torch.cuda.current_device()] if self.placement.device.type == "cuda" else []


def mean_loss(total: float, overflows: float, images: int, epoch: int) -> float:
    """Return the mean loss of an epoch's images less those whose batches overflowed, which are few.

    Raises:
        NotFinite: it is no number, or too many overflowed.
    """
    if overflows > OVERFLOWS * images:
        raise NotFinite(
            f"{overflows / images:.0%} of epoch {epoch + 1} overflowed in float16; precision=float32, or a lower rate, may help"
        )
    loss = total / (images - overflows)
    if not isfinite(loss):
        raise NotFinite(f"the training loss of epoch {epoch + 1} is {loss}; a lower learning rate may help")
    return loss


def parts_of(images: int, parts: int) -> list[slice]:
    """Return so many parts of a batch, nearly equal; fewer where one would have less than two images, too few for batch norm."""
    parts = max(1, min(parts, images // 2))
    ends = [images * number // parts for number in range(parts + 1)]
    return [slice(start, end) for start, end in pairwise(ends)]
