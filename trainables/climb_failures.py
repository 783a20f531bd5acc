"""How a failure inside a climb is reported: as a result with its class and reason, never as an exception."""

import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from datasets.errors import DataError
from storage.free_space import is_full
from storage.outage import StorageOutage
from studies.trials.fold_folder import Superseded
from trainables.training.devices import DeviceError
from trainables.training.fold_learner import NotFinite
from trainables.training.memory import is_out_of_memory

# Of libraries that have no class for it. After a device's error every later call of the process fails, too, and a loader whose
# worker died hands out nothing more: such a process has to end.
# An error that a worker hands on ("Caught ValueError in DataLoader worker process") is its code's.
_USELESS = (
    "DataLoader worker (pid",
    "DataLoader timed out",
    "Bus error",
    "shared memory",
    "unable to write to file </torch",
    "CUDA error",
    "CUDNN_STATUS",
    "cuDNN error",
    "CUBLAS_STATUS",
    "cuBLAS",
    "CUSOLVER_STATUS",
    "NCCL error",
)


def failure_result(folder: Path, error: Exception) -> dict[str, Any]:
    """Return the result of a climb that failed: the failure's class and its reason; leave the traceback in the folder."""
    with suppress(OSError):  # the disk may be what is full
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "failure.txt").write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    message = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    kind = failure_class(error)
    advice = (
        "; lower image_size, or let fewer trials run at once (--trials-per-gpu, --cpus-per-trial)"
        if kind == "out_of_memory"
        else ""
    )
    return {"failure": kind, "reason": message + advice, "trial": int(folder.name), "done": True}


def failure_class(error: Exception) -> str:
    """Return the class of a failure (see `studies.trials.failures`)."""
    useless = isinstance(error, RuntimeError) and any(words in str(error) for words in _USELESS)
    if is_full(error) and not useless:  # shared memory that is full is no disk
        return "disk_full"
    if isinstance(error, StorageOutage):
        return "outage"
    match error:
        case NotFinite():
            return "not_finite"
        case _ if is_out_of_memory(error):
            return "out_of_memory"
        case torch.AcceleratorError() | DeviceError():
            return "lost_process"
        case _ if useless:
            return "lost_process"
        case Superseded():
            return "superseded"
        case DataError():
            return "bad_image"
        case _:
            return "error"
