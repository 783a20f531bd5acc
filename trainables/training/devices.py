"""Where a trial computes, in which precision, and what else is best there: one table by kind of device."""

import logging
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache

import cv2
import torch

from trainables.config import TrainConfig
from trainables.training.compiling import Compilation
from trainables.training.images.prefetching import loading_processes

logger = logging.getLogger(__name__)
CONTEXT_BYTES = 600 * 2**20  # of CUDA in every process, which no cap of torch's knows
_DTYPES = {"float32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
_CUBLAS = ":4096:8"  # the workspaces with which cuBLAS gives the same digits again


class DeviceError(ValueError):
    """A trial was given a device that cannot be used."""


@dataclass(frozen=True)
class Resources:
    """What one trial may use of a node, how its model is compiled, and whether cuDNN tries which algorithms are fastest."""

    cpus: int = 1
    gpus: float = 0.0
    compile: Compilation | None = None
    cudnn_benchmark: bool = False


@dataclass(frozen=True)
class Settings:
    """What training on one kind of device is best done with."""

    dtype: torch.dtype | None  # of training's forward pass; None: float32
    loads_ahead: bool  # batches come from worker processes, through pinned memory
    evaluation_pixels: int  # in a batch that is only predicted
    reason: str


# `python -m benchmarks.training_step` is what the first row stands on: bfloat16 trains at half the speed there, and
# batches of 64 images of 64 pixels, or 16 of 128, are predicted fastest. The rows for GPUs are written down from what
# is published of them and were never measured. Everywhere: channels_last, and a fused optimizer where torch has one.
SETTINGS = {
    "cpu": Settings(
        None, False, 64 * 64 * 64, "float32: the weight gradients of depthwise convolutions are slow in bfloat16"
    ),
    "gpu with bfloat16": Settings(torch.bfloat16, True, 224 * 224 * 512, "bfloat16: as fast as float16, no loss scale"),
    "gpu": Settings(torch.float16, True, 224 * 224 * 256, "float16 with a loss scale: no bfloat16 in hardware"),
}


@dataclass(frozen=True)
class Placement:
    """A device, the dtype of training's forward pass (None: float32) and how many processes load batches."""

    device: torch.device
    dtype: torch.dtype | None
    workers: int
    evaluation_pixels: int
    compile: Compilation | None = None

    @property
    def precision(self) -> str:
        """Return the name of the dtype of training's forward pass."""
        return next(name for name, dtype in _DTYPES.items() if dtype == self.dtype)

    def autocast(self) -> AbstractContextManager[object]:
        """Return the context in which to run forward passes of training."""
        if self.dtype is None:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)


def place(config: TrainConfig, resources: Resources, precision: str | None = None) -> Placement:
    """Return the placement for a configuration; sets up this process, and caps a GPU's memory to the trial's share.

    `precision` is what `auto` stands for in a study that has begun. The GPU rows and branches were written for and never run on
    a GPU.

    Raises:
        DeviceError: the device cannot be used, or cannot train in that precision.
    """
    torch.set_num_threads(resources.cpus)
    cv2.setNumThreads(1)  # one image is too little work to share out
    _set_algorithms(config, resources)
    kind = device_kind(resources)
    settings = SETTINGS[kind]
    _tell(kind, resources)
    if 0 < resources.gpus < 1 and kind != "cpu":
        _, memory = torch.cuda.mem_get_info()
        torch.cuda.set_per_process_memory_fraction(memory_share(resources.gpus, memory))
    return Placement(
        device=torch.device("cpu" if kind == "cpu" else "cuda"),
        dtype=_dtype(config.precision if config.precision != "auto" else precision, kind),
        workers=loading_processes(resources.cpus) if settings.loads_ahead else 0,
        evaluation_pixels=settings.evaluation_pixels,
        compile=resources.compile,
    )


def _set_algorithms(config: TrainConfig, resources: Resources) -> None:
    """Have this process take algorithms that give the same digits again, or the fastest, or neither."""
    if config.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", _CUBLAS)
    torch.use_deterministic_algorithms(config.deterministic)
    torch.backends.cudnn.benchmark = resources.cudnn_benchmark and not config.deterministic


def _dtype(precision: str | None, kind: str) -> torch.dtype | None:
    """Return the dtype of a precision; None: what the kind of device is best done with."""
    if precision is None:
        return SETTINGS[kind].dtype
    if reason := lacks_precision(precision, kind):
        raise DeviceError(reason)
    return _DTYPES[precision]


def lacks_precision(precision: str, kind: str) -> str | None:
    """Return that a kind of device does not have a precision, and what to do; None where it has it."""
    if precision != "bfloat16" or kind != "gpu":
        return None
    return (
        "the study trains in bfloat16, which this GPU does not have in hardware; go on with it on a GPU of compute capability 8.0"
        " or more, or begin another study with --set constants.precision=float16"
    )


def device_kind(resources: Resources) -> str:
    """Return the row of `SETTINGS` that fits what a trial was given.

    Raises:
        DeviceError: it was given a GPU that torch cannot use: on the CPU it would train for days in silence.
    """
    if resources.gpus == 0:
        return "cpu"
    if reason := gpu_is_of_no_use():
        raise DeviceError(reason)
    return "gpu with bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "gpu"


def gpu_is_of_no_use() -> str | None:
    """Return why torch cannot use a GPU here and the way out, None if it can."""
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]
        capability, known = torch.cuda.get_device_capability(), torch.cuda.get_arch_list()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".")
        return (
            f"torch {torch.__version__} cannot use the GPU: {reason}; update the driver, or search with --profile cpu and"
            " CUDA_VISIBLE_DEVICES="
        )
    return unknown_architecture(capability, known)


def unknown_architecture(capability: tuple[int, int], known: Sequence[str]) -> str | None:
    """Return that torch was not built for a GPU of this compute capability and what to do, None if it was.

    A binary runs on GPUs of its own major version from its minor one on, PTX (`compute_`) on all that came later.
    """
    major, minor = capability
    versions = list[tuple[int, int]]()
    for name in known:
        kind, _, number = name.partition("_")
        built = divmod(int("".join(filter(str.isdigit, number))), 10)
        versions.append(built)
        if (kind == "sm" and built[0] == major and built[1] <= minor) or (kind == "compute" and built <= capability):
            return None
    older = capability < min(versions, default=capability)
    wheel = "torch's wheel for CUDA 12.6, which knows older ones" if older else "a newer wheel of torch"
    return (
        f"torch {torch.__version__} was built for {', '.join(known)}, and this GPU is sm_{major}{minor}; install {wheel}"
        " (https://pytorch.org/get-started), or search with --profile cpu and CUDA_VISIBLE_DEVICES="
    )


def memory_share(gpus: float, memory: int) -> float:
    """Return the share of a GPU's bytes that torch may allocate for a trial: its own context takes some as well."""
    return max(gpus / 2, gpus - CONTEXT_BYTES / memory)


@cache
def _tell(kind: str, resources: Resources) -> None:
    """Log, once per process, which row of the table was taken."""
    logger.info(
        "Device settings %r with %d threads%s: %s.",
        kind,
        resources.cpus,
        f", compiled ({resources.compile})" if resources.compile else "",
        SETTINGS[kind].reason,
    )


def peak_memory(device: torch.device) -> tuple[int | None, int | None]:
    """Return the bytes that tensors held on a GPU at most since the last question, and that torch reserved; None elsewhere."""
    if device.type != "cuda":
        return None, None
    held, reserved = torch.cuda.max_memory_allocated(device), torch.cuda.max_memory_reserved(device)
    torch.cuda.reset_peak_memory_stats(device)
    return held, reserved
