"""Joining a cluster that others began: it is there, it asks for a token, and the token is here."""

import logging
import os
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import grpc
import ray
from ray.exceptions import AuthenticationError
from ray.job_config import JobConfig

from schedulers.ray.private_names import QUESTION, ClusterError, cluster_token, head_of, take_token

_LEFT_OUT = ["results", "ensembles", ".venv", ".git"]  # of the code that a cluster is sent


def join_cluster(address: str, environment: Mapping[str, str], code: Path, job: JobConfig, *, insecure: bool) -> Any:
    """Join the cluster at an address, with our code and environment for its actors; return Ray's context.

    Raises:
        ClusterError: there is no cluster at the address, it asks for a token that is not here, or (unless `insecure`) for none.
    """
    _check_listens(address)
    _check_token(address, insecure=insecure)
    if not insecure:
        check_asks_for_token(address)
    runtime = {"env_vars": dict(environment), "working_dir": str(code), "excludes": _LEFT_OUT}
    return _join(address, runtime, job)


def _check_listens(address: str) -> None:
    """Refuse an address of a host and a port where nobody answers: Ray would try for minutes."""
    host, separator, port = address.rpartition(":")
    if not separator or "/" in host or not port.isdecimal():
        return  # auto, or an address of another kind
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"--address {address}: nobody listens there ({error}); begin a cluster with: ray start --head, or leave --address out"
        ) from None


def _check_token(address: str, *, insecure: bool) -> None:
    """Load this machine's token, and refuse to go without it unless the user accepts that."""
    take_token()
    if cluster_token() is None and not insecure:
        raise ClusterError(
            f"--address {address}: there is no token of the cluster here; print it on the cluster's head with:"
            " ray get-auth-token, and set it here as RAY_AUTH_TOKEN. A cluster without one runs the code of whoever reaches"
            " it: --insecure joins it all the same"
        )


def check_asks_for_token(address: str) -> None:
    """Refuse a cluster that answers to whoever reaches it: its head is asked a question without a token.

    Raises:
        ClusterError: it answered.
    """
    head = head_of(address)
    if head is None:
        return
    with grpc.insecure_channel(head) as channel:
        try:
            channel.unary_unary(QUESTION)(b"", timeout=10)
        except grpc.RpcError:  # it wants a token, or TLS; what else is wrong shows when it is joined
            return
    raise ClusterError(
        f"--address {address}: the cluster asks for no token, so whoever reaches it runs code as you there; begin it with"
        " RAY_AUTH_MODE=token, or join it all the same with --insecure"
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
