"""What one trial takes of the hardware, and what of it is there, found out without torch and without Ray."""

import argparse
import os
from dataclasses import dataclass

from studies.gpus import nvidia_gpus


@dataclass(frozen=True)
class Share:
    """What one trial takes: whole CPUs, and a share of a GPU (0: none)."""

    cpus: int
    gpus: float

    def slots(self, cpus: int, gpus: float) -> int:
        """Return how many trials fit on so much hardware at a time.

        Raises:
            ValueError: not even one does.
        """
        fitting = cpus // self.cpus
        if self.gpus:
            fitting = min(fitting, int(gpus / self.gpus + 1e-9))
        if fitting < 1:
            raise ValueError(
                f"a trial wants {self.cpus} CPUs and {self.gpus:g} GPUs, but Ray has {cpus} and {gpus:g};"
                " lower --cpus-per-trial, or raise --trials-per-gpu"
            )
        return fitting

    def spelled(self) -> str:
        """Return '1 CPU and 0.5 of a GPU'."""
        return f"{self.cpus} CPU{f' and {self.gpus:.2g} of a GPU' if self.gpus else ''}"


def share_of_a_trial(options: argparse.Namespace, cpus: int, gpus: float) -> Share:
    """Return what one trial takes of so much hardware: as the options say, else a core, or a GPU with its share of cores."""
    if not gpus:
        return Share(options.cpus_per_trial or 1, 0.0)
    trials = int(gpus * options.trials_per_gpu)
    return Share(options.cpus_per_trial or max(1, cpus // max(1, trials)), 1 / options.trials_per_gpu)


def check_gpu_share(options: argparse.Namespace) -> None:
    """Refuse --trials-per-gpu where there is no GPU: it would do nothing."""
    if options.trials_per_gpu != 1 and options.address is None and not local_gpus():
        raise ValueError("--trials-per-gpu needs a GPU, and there is none here; leave it out")


def local_gpus() -> int:
    """Return the number of NVIDIA GPUs that this process may use, without importing torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    there = len(nvidia_gpus().names)
    if visible is None:
        return there
    named = [device for device in visible.split(",") if device.strip() not in ("", "-1")]
    return min(len(named), there)
