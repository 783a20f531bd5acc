"""Starting Ray for a search: bound to this machine, silent, with the threads and the environment of a trial."""

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import ray

_OBJECT_STORE_BYTES = 128 * 2**20  # no image and no weight goes through it
_QUIET = {"RAY_AIR_NEW_OUTPUT": "0", "RAY_TQDM_PATCH_PRINT": "0", "RAY_DEDUP_LOGS": "0"}


@dataclass(frozen=True)
class Cluster:
    """What Ray has to offer."""

    cpus: int
    gpus: float
    dashboard: str | None

    def slots(self, cpus_per_trial: int, gpus_per_trial: float) -> int:
        """Return how many climbs fit at a time.

        Raises:
            ValueError: not even one does.
        """
        fitting = self.cpus // cpus_per_trial
        if gpus_per_trial:
            fitting = min(fitting, int(self.gpus / gpus_per_trial + 1e-9))
        if fitting < 1:
            raise ValueError(
                f"a trial wants {cpus_per_trial} CPUs and {gpus_per_trial:g} GPUs, but Ray has {self.cpus} and {self.gpus:g};"
                " lower --cpus-per-trial, or raise --trials-per-gpu"
            )
        return fitting


def start_ray(address: str | None, environment: Mapping[str, str], code: Path) -> Cluster:
    """Start Ray on this machine, or join the cluster at `address`; actors get `environment`."""
    for name, value in {**_QUIET, "RAY_USAGE_STATS_ENABLED": "0", **environment}.items():
        os.environ.setdefault(name, value)
    for name in ("ray.tune", "ray.air", "ray.train"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if address is not None:
        runtime = {
            "env_vars": dict(environment),
            "working_dir": str(code),
            "excludes": ["results", "ensembles", ".venv", ".git"],
        }
        context = ray.init(address=address, runtime_env=runtime, log_to_driver=False, logging_level=logging.ERROR)
    else:
        context = ray.init(
            include_dashboard=True,
            dashboard_host="127.0.0.1",
            object_store_memory=_OBJECT_STORE_BYTES,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    resources = ray.cluster_resources()
    return Cluster(int(resources.get("CPU", 1)), resources.get("GPU", 0.0), context.dashboard_url or None)


def local_gpus() -> int:
    """Return the number of NVIDIA GPUs that this process may use, without importing torch."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([device for device in visible.split(",") if device.strip() not in ("", "-1")])
    folder = Path("/proc/driver/nvidia/gpus")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def stop_ray() -> None:
    """End what `start_ray` started."""
    ray.shutdown()
