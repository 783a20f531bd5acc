"""Starting Ray for a search: bound to this machine, silent, with the threads and the environment of a trial."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.job_config import JobConfig

from schedulers.ray.joining import join_cluster
from schedulers.ray.private_names import ClusterError, check_private_names, make_token, stay_on_loopback
from schedulers.ray.session_folder import session_folder

_OBJECT_STORE_BYTES = 128 * 2**20  # no image and no weight goes through it
_QUIET = {"RAY_AIR_NEW_OUTPUT": "0", "RAY_TQDM_PATCH_PRINT": "0", "RAY_DEDUP_LOGS": "0"}


_NICENESS = "0"  # of trials: Ray's own 15 leaves them a thirtieth of a core that another process wants, too


@dataclass(frozen=True)
class Cluster:
    """What Ray has to offer."""

    cpus: int
    gpus: float
    dashboard: str | None


def start_ray(
    name: str, address: str | None, environment: Mapping[str, str], code: Path, *, insecure: bool = False
) -> Cluster:
    """Start Ray on this machine, or join the cluster at `address`; actors get `environment`, the dashboard's jobs `name`.

    A Ray of this machine listens on loopback alone. Whoever reaches a cluster without a token runs code on it: such a one is used
    only where somebody has said so (`insecure`).

    Raises:
        ClusterError: there is no cluster at the address, it asks for a token that is not here, nothing asks for one, or Ray is
            another version.
    """
    check_private_names()
    _check_authentication(insecure=insecure)
    own = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": _NICENESS}
    for variable, value in {**_QUIET, **own, **environment}.items():
        os.environ.setdefault(variable, value)
    for library in ("ray.tune", "ray.air", "ray.train"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    job = JobConfig(metadata={"job_name": name})
    context = _begin(job) if address is None else join_cluster(address, environment, code, job, insecure=insecure)
    _keep_token_to_ourselves()
    resources = ray.cluster_resources()
    return Cluster(int(resources.get("CPU", 1)), resources.get("GPU", 0.0), context.dashboard_url or None)


def _check_authentication(*, insecure: bool) -> None:
    """Refuse a Ray whose authentication is switched off, unless the user accepts that."""
    stated = os.environ.get("RAY_AUTH_MODE")
    if (
        stated is not None and stated.lower() != "token" and not insecure
    ):  # Ray takes whatever else is set as switched off
        raise ClusterError(
            f"RAY_AUTH_MODE={stated} lets whoever reaches this Ray run code as you; unset it, or say --insecure where nobody does"
        )


def _begin(job: JobConfig) -> Any:
    """Start Ray on this machine: on loopback alone, with its files in a folder of the user's own."""
    stay_on_loopback()
    make_token()
    return ray.init(
        _temp_dir=str(session_folder()),
        job_config=job,
        include_dashboard=True,
        dashboard_host="127.0.0.1",
        object_store_memory=_OBJECT_STORE_BYTES,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )


def _keep_token_to_ourselves() -> None:
    """Make the token file that Ray keeps in the user's home readable by the user alone."""
    token = Path.home() / ".ray/auth_token"
    if token.is_file():
        token.chmod(0o600)


@contextmanager
def ray_cluster(
    name: str, address: str | None, environment: Mapping[str, str], code: Path, *, insecure: bool = False
) -> Iterator[Cluster]:
    """Start Ray, or join a cluster, as long as the block runs (see `start_ray`)."""
    try:
        yield start_ray(name, address, environment, code, insecure=insecure)
    finally:
        stop_ray()


def stop_ray() -> None:
    """End what `start_ray` started."""
    ray.shutdown()
