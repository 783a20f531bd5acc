"""NVIDIA's Multi-Process Service: where its server may be started, trials compute on a GPU at once instead of in turns."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

_CONTROL = "nvidia-cuda-mps-control"
_PATIENCE = 20.0  # seconds for it to start or to end


@contextmanager
def mps_server(say: Callable[[str], None]) -> Iterator[None]:
    """Run a server for this launch, if there is the command and it starts; else trials take turns. Never run on a GPU.

    Processes that begin meanwhile find it by the environment. A server of the user's own is left as it is. What breaks a GPU for
    a process breaks it for all that share the server; their climbs are tried again.
    """
    if "CUDA_MPS_PIPE_DIRECTORY" in os.environ or shutil.which(_CONTROL) is None:
        yield
        return
    before = dict(os.environ)
    with tempfile.TemporaryDirectory(prefix="foldrace-mps-") as place:
        for name in ("pipe", "log"):
            (Path(place) / name).mkdir()
        os.environ["CUDA_MPS_PIPE_DIRECTORY"] = str(Path(place) / "pipe")
        os.environ["CUDA_MPS_LOG_DIRECTORY"] = str(Path(place) / "log")
        started = _tell("-d")
        if not started:
            _forget(before)
        say(
            "Trials that share a GPU compute on it at once: NVIDIA's MPS was started."
            if started
            else "Trials that share a GPU take turns on it: NVIDIA's MPS could not be started."
        )
        try:
            yield
        finally:
            if started:
                _tell(asked="quit\n")
                _forget(before)


def _forget(before: dict[str, str]) -> None:
    for name in ("CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"):
        os.environ.pop(name, None)
        if name in before:
            os.environ[name] = before[name]


def _tell(*options: str, asked: str = "") -> bool:
    """Run the control command, and tell whether it did as it was told."""
    try:
        done = subprocess.run(
            [_CONTROL, *options],
            input=asked,
            stdout=subprocess.DEVNULL,  # the server keeps what it is given
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
