"""From pixels to probabilities, in one place: what a trial was judged by is what votes, to the last digit."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from datasets.images import Pixels
from studies.metrics import Probabilities
from trainables.training.heads.head import Head

_FLOAT32_BACKENDS = (torch.backends.cuda.matmul, torch.backends.cudnn.conv)  # type: ignore[attr-defined]


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
class Judged:
    """What was said about images: probabilities (N x classes), and numbers (N) where the head predicts one."""

    probabilities: Probabilities
    numbers: npt.NDArray[np.float32] | None = None

    @classmethod
    def together(cls, parts: Sequence["Judged"]) -> "Judged":
        """Return what was said about images in several parts."""
        numbers = [part.numbers for part in parts if part.numbers is not None]
        return cls(np.concatenate([part.probabilities for part in parts]), np.concatenate(numbers) if numbers else None)


@dataclass(frozen=True)
class Classifier:
    """A model with its head and the normalisation that it was trained with.

    It predicts in float32, whatever precision the model was trained in: a GPU and a CPU then agree. `precision` is the context
    of something else.
    """

    model: nn.Module
    head: Head
    normalisation: Normalisation
    precision: Callable[[], AbstractContextManager[object]] = exact_float32

    def judge(self, pixels: Pixels | Tensor) -> Judged:
        """Return what the model says about decoded images, uint8 N x H x W x 3; with `test_flip` the mean with mirrored ones."""
        self.model.eval()
        with torch.inference_mode(), self.precision():
            images = self.normalisation(torch.as_tensor(pixels))
            views = [images, images.flip(3)] if self.head.config.test_flip else [images]
            probabilities, numbers = self.head.judge([self.model(view) for view in views])
        return Judged(_array(probabilities), None if numbers is None else _array(numbers))


def _array(values: Tensor) -> npt.NDArray[np.float32]:
    array: npt.NDArray[np.float32] = values.float().cpu().numpy().astype(np.float32)
    return array
