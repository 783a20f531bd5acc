"""From pixels to probabilities, in one place: what a trial was judged by is what votes, to the last digit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from datasets.images import Pixels
from studies.metrics import Probabilities

_FLOAT32_BACKENDS = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Normalisation:
    """Mean and standard deviation of every channel, as 1 x 3 x 1 x 1 on a device, in values from 0 to 255."""

    mean: Tensor
    std: Tensor

    @classmethod
    def of(cls, mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> "Normalisation":
        """Return the normalisation of pixels whose statistics are given from 0 to 1."""
        shaped = (torch.tensor(values, device=device).view(1, 3, 1, 1) * 255 for values in (mean, std))
        return cls(*shaped)

    def __call__(self, pixels: Tensor) -> Tensor:
        """Return uint8 N x H x W x 3 as normalised float N x 3 x H x W on the device; the layout is channels_last."""
        moved = pixels.to(self.mean.device, non_blocking=True).permute(0, 3, 1, 2)
        return moved.float().sub_(self.mean).div_(self.std)


@dataclass(frozen=True)
class Classifier:
    """A model with the normalisation that it was trained with."""

    model: nn.Module
    normalisation: Normalisation

    def probabilities(self, pixels: Pixels) -> Probabilities:
        """Return the probabilities of decoded images (uint8 N x H x W x 3), N x classes.

        Always in float32, whatever precision the model was trained in: a GPU and a CPU then agree.
        """
        self.model.eval()
        with torch.inference_mode(), exact_float32():
            logits: Tensor = self.model(self.normalisation(torch.from_numpy(pixels)))
            probabilities: Probabilities = logits.float().softmax(dim=1).cpu().numpy().astype(np.float32)
        return probabilities


@contextmanager
def exact_float32() -> Iterator[None]:
    """Have a GPU compute float32 in float32, not in TF32."""
    before = [backend.fp32_precision for backend in _FLOAT32_BACKENDS]
    for backend in _FLOAT32_BACKENDS:
        backend.fp32_precision = "ieee"
    try:
        yield
    finally:
        for backend, precision in zip(_FLOAT32_BACKENDS, before, strict=True):
            backend.fp32_precision = precision
