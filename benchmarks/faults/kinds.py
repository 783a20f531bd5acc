"""What can go wrong with a search that runs: each does it, and ends it."""

import os
import random
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.crash import descendants, launch, trial_processes
from benchmarks.faults.preload import FailingStorage

ERRNOS = ("EDQUOT", "EIO", "EROFS", "ESTALE", "ENOLCK", "EMFILE", "ENOSPC")
LASTS = (2.0, 6.0)  # seconds of what passes


@dataclass(frozen=True)
class Running:
    """A search that runs, where, and on which storage."""

    driver: subprocess.Popen[bytes]
    place: Path
    storage: FailingStorage
    dice: random.Random

    def wait(self) -> None:
        """Let some seconds pass."""
        time.sleep(self.dice.uniform(*LASTS))

    def processes(self, words: bytes) -> list[int]:
        """Return the processes of the search whose command line has these words."""
        return [pid for pid in descendants(self.driver.pid) if words in _command_line(pid)]


Fault = Callable[[Running], None]


def storage_fails(name: str, running: Running) -> None:
    """Have everything that is written below the study fail for some seconds."""
    with running.storage.failing(name):
        running.wait()


def killed(words: bytes, running: Running) -> None:
    """Kill the processes of a search that their command line names."""
    found = running.processes(words)
    assert found, f"no process of the search is called {words.decode()}"
    for pid in found:
        os.kill(pid, signal.SIGKILL)


def trial_killed(running: Running) -> None:
    """Kill the process of a trial."""
    os.kill(trial_processes(running.driver.pid)[0], signal.SIGKILL)


def stopped(find: Callable[[Running], int], running: Running) -> None:
    """Stop a process for some seconds, and have it go on."""
    pid = find(running)
    os.kill(pid, signal.SIGSTOP)
    running.wait()
    os.kill(pid, signal.SIGCONT)


def limited(what: int, least: int, running: Running) -> None:
    """Limit the driver and its trials for some seconds: the size of a file, or open files."""
    with suppress(ProcessLookupError), _limits(what, least, [running.driver.pid, *trial_processes(running.driver.pid)]):
        running.wait()


@contextmanager
def _limits(what: int, least: int, pids: list[int]) -> Iterator[None]:
    before = {pid: resource.prlimit(pid, what) for pid in pids}
    for pid, (_, hard) in before.items():
        resource.prlimit(pid, what, (least, hard))
    try:
        yield
    finally:
        for pid, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, what, limits)


def second_driver(running: Running) -> None:
    """Launch the study a second time where every lock is granted and the lease has gone."""
    (running.place / "results/toy/lease.json").unlink(missing_ok=True)
    other = launch(running.place, running.storage.environment(without_locks=True))
    with suppress(subprocess.TimeoutExpired):
        other.wait(timeout=60)
    if other.poll() is None:
        os.killpg(other.pid, signal.SIGKILL)
        other.wait()


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


KINDS: dict[str, Fault] = {
    **{f"storage: {name}": partial(storage_fails, name) for name in ERRNOS},
    "file size limited": partial(limited, resource.RLIMIT_FSIZE, 4096),
    "descriptors limited": partial(limited, resource.RLIMIT_NOFILE, 16),
    "raylet killed": partial(killed, b"/raylet/raylet"),
    "GCS killed": partial(killed, b"gcs_server"),
    "trial killed": trial_killed,
    "driver killed": lambda running: running.driver.kill(),
    "page killed": partial(killed, b"analysis.page"),
    "driver stopped": partial(stopped, lambda running: running.driver.pid),
    "trial stopped": partial(stopped, lambda running: trial_processes(running.driver.pid)[0]),
    "two drivers": second_driver,
}
