"""One model on one fold: made anew, trained an epoch at a time, able to stop and go on to the last digit."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

import numpy as np
import torch
from timm.scheduler import create_scheduler_v2
from torch import Tensor
from torch.nn.functional import one_hot

from studies.metrics import Probabilities
from trainables.config import TrainConfig
from trainables.training.batches import BatchLoader, TrainingBatches, gather
from trainables.training.classifier import Classifier, Normalisation
from trainables.training.compiling import compiled_features
from trainables.training.devices import Placement
from trainables.training.fold_data import FoldData, Rows
from trainables.training.losses import class_weights, configured_loss
from trainables.training.mixing import cutmix
from trainables.training.models import make_model, normalisation
from trainables.training.optimizers import load_optimizer, make_optimizer
from trainables.training.seeds import derived_generator, derived_seed


class NotFinite(ValueError):
    """A loss or a prediction that is no number: the configuration does not train."""


@dataclass(frozen=True)
class EpochOutcome:
    """What one training epoch was like."""

    loss: float
    learning_rate: float
    images_per_second: float


class FoldLearner:
    """Trains the configured model on every fold but one."""

    def __init__(self, config: TrainConfig, data: FoldData, trial: int, fold: int, placement: Placement) -> None:
        self.config, self.data, self.placement = config, data, placement
        self._stream = (config.seed, trial, fold)
        self._training, self._validation = data.training(fold), data.validation(fold)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(*self._stream))
            model = make_model(config, len(data.classes))
        self.model = model.to(placement.device).to(memory_format=torch.channels_last)
        self._features = compiled_features(self.model) if placement.compile else None
        self._normalised = Normalisation.of(*normalisation(config.backbone), placement.device)
        batches = TrainingBatches(data, self._training, config, self._stream)
        self._loader = BatchLoader(batches, placement.workers, pinned=placement.device.type == "cuda")
        self._steps = batches.per_epoch
        self._optimizer = make_optimizer(self.model, config)
        self._schedule, _ = create_scheduler_v2(
            self._optimizer,
            config.schedule,
            config.epochs,
            warmup_lr=config.learning_rate / 100,
            warmup_epochs=config.warmup_epochs,
            step_on_epochs=False,
            updates_per_epoch=self._steps,
        )
        self._scaler = torch.amp.GradScaler(placement.device.type, enabled=placement.dtype == torch.float16)
        targets = torch.from_numpy(data.targets[self._training])
        weights = class_weights(config, targets, len(data.classes))
        self._weights = None if weights is None else weights.to(placement.device)

    def train_epoch(self, epoch: int) -> EpochOutcome:
        """Train one epoch (counted from 0).

        Raises:
            NotFinite: the loss is no number.
        """
        stream = (*self._stream, epoch)
        mixing = derived_generator(*stream, 2)
        total, started = torch.zeros((), device=self.placement.device), time.perf_counter()
        self.model.train()
        with torch.random.fork_rng(devices=self._gpus()):
            torch.manual_seed(derived_seed(*stream, 3))
            for number, (pixels, classes) in enumerate(self._loader.epoch(epoch)):
                self._schedule.step_update(epoch * self._steps + number)
                total += self._train_batch(pixels, classes, mixing) * len(pixels)
        loss = float(total) / len(self._training)
        if not isfinite(loss):
            raise NotFinite(f"the training loss of epoch {epoch + 1} is {loss}; a lower learning rate may help")
        rate = float(self._optimizer.param_groups[0]["lr"])
        return EpochOutcome(loss, rate, len(self._training) / (time.perf_counter() - started))

    def predict_validation(self) -> Probabilities:
        """Return the probabilities of the left-out fold's images, in their order."""
        return self.predict(self._validation)

    def predict(self, positions: Rows) -> Probabilities:
        """Return the probabilities of the images at these positions, in float32 whatever the training's precision.

        Raises:
            NotFinite: one of them is no number.
        """
        classifier = Classifier(self.model, self._normalised)
        size = max(1, self.placement.evaluation_pixels // self.config.image_size**2)
        chunks = [positions[start : start + size] for start in range(0, len(positions), size)]
        probabilities = np.concatenate([classifier.probabilities(gather(self.data, chunk)) for chunk in chunks])
        if not np.isfinite(probabilities).all():
            raise NotFinite("a predicted probability is no number; a lower learning rate may help")
        return probabilities

    def close(self) -> None:
        """End the processes that load batches."""
        self._loader.close()

    def weights(self) -> dict[str, Tensor]:
        """Return the model's state_dict on the CPU."""
        return {name: value.detach().cpu().contiguous() for name, value in self.model.state_dict().items()}

    def state(self) -> dict[str, Any]:
        """Return all that the next epoch depends on: model, optimizer, loss scale. No generator state."""
        return {
            "model": self.model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "scaler": self._scaler.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        load_optimizer(self._optimizer, state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])

    def _train_batch(self, pixels: Tensor, classes: Tensor, mixing: np.random.Generator) -> Tensor:
        targets = one_hot(classes.to(self.placement.device, non_blocking=True), len(self.data.classes)).float()
        images, targets = cutmix(self._normalised(pixels), targets, self.config, mixing)
        with self.placement.autocast():
            loss = configured_loss(self.config, self._logits(images), targets, self._weights)
        self._optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(self._scaler.scale(loss))
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.config.clip_gradient)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        return loss.detach()

    def _logits(self, images: Tensor) -> Tensor:
        if self._features is None or len(images) != self.config.batch_size:
            return cast(Tensor, self.model(images))
        head = cast(Callable[[Tensor], Tensor], self.model.forward_head)
        return head(self._features(images))

    def _gpus(self) -> list[int]:
        return [torch.cuda.current_device()] if self.placement.device.type == "cuda" else []
