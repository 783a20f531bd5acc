"""Starting Ray for a search: bound to this machine, silent, with the threads and the environment of a trial."""

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import ray
from ray.exceptions import AuthenticationError
from ray.job_config import JobConfig

from schedulers.ray.private_names import ClusterError, check_private_names, cluster_token, stay_on_loopback, take_token

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
    if address is None:
        context = _begin(job)
    else:
        _check_listens(address)
        _check_token(address, insecure=insecure)
        runtime = {
            "env_vars": dict(environment),
            "working_dir": str(code),
            "excludes": ["results", "ensembles", ".venv", ".git"],
        }
        context = _join(address, runtime, job)
    _keep_token_to_ourselves()
    resources = ray.cluster_resources()
    return Cluster(int(resources.get("CPU", 1)), resources.get("GPU", 0.0), context.dashboard_url or None)


def _check_authentication(*, insecure: bool) -> None:
    """Refuse a Ray whose authentication is switched off, unless the user accepts that."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() == "disabled" and not insecure:
        raise ClusterError(
            "RAY_AUTH_MODE=disabled lets whoever reaches this Ray run code as you; unset it, or say --insecure where nobody does"
        )


def _begin(job: JobConfig) -> Any:
    """Start Ray on this machine, on loopback alone."""
    stay_on_loopback()
    return ray.init(
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


def _check_token(address: str, *, insecure: bool) -> None:
    """Load this machine's token, and refuse to join a cluster without a token unless the user accepts that."""
    take_token()
    if cluster_token() is None and not insecure:
        raise ClusterError(
            f"--address {address}: there is no token of the cluster here; print it on the cluster's head with:"
            " ray get-auth-token, and set it here as RAY_AUTH_TOKEN. A cluster without one runs the code of whoever reaches"
            " it: --insecure joins it all the same"
        )


def _join(address: str, runtime: dict[str, Any], job: JobConfig) -> Any:
    with tempfile.TemporaryFile("w+") as said:
        try:
            with stderr_into(said):  # Ray's core repeats the same warning for half a minute
                return ray.init(
                    address=address,
                    runtime_env=runtime,
                    job_config=job,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        except (AuthenticationError, ConnectionError, RuntimeError) as error:
            said.seek(0)
            if isinstance(error, AuthenticationError) or "InvalidAuthToken" in said.read():
                raise ClusterError(
                    f"--address {address}: the cluster asks for a token, and the one here is missing or another; print it on"
                    " the cluster's head with: ray get-auth-token, and set it here as RAY_AUTH_TOKEN"
                ) from None
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise ClusterError(
                f"--address {address}: no cluster can be joined there ({reason}); begin one with: ray start --head, or leave"
                " --address out"
            ) from None


def _check_listens(address: str) -> None:
    """Refuse an address of a host and a port where nobody answers: Ray would try for minutes."""
    host, separator, port = address.rpartition(":")
    if not separator or "/" in host or not port.isdigit():
        return  # auto, or an address of another kind
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"--address {address}: nobody listens there ({error}); begin a cluster with: ray start --head, or leave --address out"
        ) from None


@contextmanager
def stderr_into(file: IO[str]) -> Iterator[None]:
    """Have everything that this process writes to its standard error go into a file, what is no Python, too."""
    sys.stderr.flush()
    kept = os.dup(2)
    os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


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
