"""Where a trial computes, and in which precision."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from trainables.config import TrainConfig

_DTYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class Resources:
    """What one trial may use of a node."""

    cpus: int = 1
    gpus: float = 0.0


@dataclass(frozen=True)
class Placement:
    """A device, the dtype of its forward pass (None: float32) and how many processes load batches."""

    device: torch.device
    dtype: torch.dtype | None
    workers: int

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which to run forward passes."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)


def place(config: TrainConfig, resources: Resources) -> Placement:
    """Return the placement for a configuration; caps a GPU's memory to the trial's share.

    The GPU branch was written for and never run on a GPU.
    """
    torch.set_num_threads(resources.cpus)
    if resources.gpus == 0 or not torch.cuda.is_available():
        dtype = None if config.precision == "auto" else _DTYPES[config.precision]
        return Placement(torch.device("cpu"), dtype, workers=0)
    if resources.gpus < 1:
        torch.cuda.set_per_process_memory_fraction(resources.gpus)
    chosen = _DTYPES.get(config.precision)
    if config.precision == "auto":
        chosen = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    return Placement(torch.device("cuda"), chosen, workers=max(1, resources.cpus - 1))
