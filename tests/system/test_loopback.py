"""A Ray of this machine is reached from this machine alone, and its token by its owner."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from schedulers.ray.session_folder import session_folder
from studies.record.events import SearchEnded
from tests.system.test_address import at_home
from tests.toys import ROOT
from tests.toys.commands import ONE_SLOT, recorded, start

pytestmark = pytest.mark.slow
LISTEN = "0A"
LOOPBACK, LOOPBACK_6 = "0100007F", "00000000000000000000000001000000"
MAPPED = "0000000000000000FFFF00000100007F"  # of IPv4 in a socket of IPv6
START = """
import sys
from pathlib import Path
from schedulers.ray.cluster import start_ray, stop_ray
try:
    start_ray("toy", None, {}, Path(sys.argv[1]))
    import ray
    @ray.remote
    class Trial:
        def pid(self): return 1
    trial = Trial.remote()
    ray.get(trial.pid.remote())
    print("ready", flush=True)
    sys.stdin.readline()
    stop_ray()
except ValueError as error:
    print(error)
"""


def started(home: Path, **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, str(ROOT)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env={**at_home(home), **environment}, stdin=pipe, stdout=pipe, text=True, cwd=ROOT)


def family(pid: int) -> list[int]:
    """Return the ids of a process and of all its descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended meanwhile
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def listening(pids: list[int]) -> Iterator[tuple[str, str]]:
    """Yield the address and the port of every socket on which processes listen, as the kernel spells them."""
    held = set[str]()
    for handle in (handle for pid in pids for handle in Path(f"/proc/{pid}/fd").glob("*")):
        with suppress(OSError):  # it was closed meanwhile
            held.add(str(handle.readlink()))
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = row.split()
            if cells[3] == LISTEN and f"socket:[{cells[9]}]" in held:
                address, port = cells[1].split(":")
                yield address, port


def test_no_process_of_a_search_listens_beyond_this_machine(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    search = started(tmp_path / "home")
    processes.append(search)
    assert search.stdout is not None
    assert search.stdout.readline() == "ready\n"
    found = set(listening(family(search.pid)))
    assert len(found) >= 8, "of the driver, the trial and the servers beside them"
    assert {address for address, _ in found} <= {LOOPBACK, LOOPBACK_6, MAPPED}, found
    token = tmp_path / "home/.ray/auth_token"
    assert token.stat().st_mode & 0o077 == 0, "whoever reads it may run code"
    assert token.parent.stat().st_mode & 0o077 == 0, "it was closed from its first byte"
    (session,) = session_folder().glob(f"session_*_{search.pid}")
    assert session.parent.stat().st_mode & 0o077 == 0, "logs name trials, and sockets take orders"
    search.communicate("end\n", timeout=60)


@pytest.mark.parametrize("mode", ["disabled", "off", ""])
def test_a_ray_without_authentication_is_refused_unless_somebody_says_so(mode: str, tmp_path: Path) -> None:
    """Ray takes whatever is set, and is not `token`, as switched off."""
    search = started(tmp_path / "home", RAY_AUTH_MODE=mode)
    out, _ = search.communicate("end\n", timeout=120)
    assert f"RAY_AUTH_MODE={mode} lets whoever reaches this Ray run code as you; unset it" in out


@pytest.mark.parametrize("server", ["raylet", "gcs_server"])
def test_when_a_server_of_ray_dies_the_search_ends_with_the_command_that_goes_on(
    server: str, place: Path, processes: list[subprocess.Popen[str]]
) -> None:
    """The driver hung in silence without a raylet, and said nothing of ours without a GCS."""
    search = start(place, "launch_search.py", "--space", "toy.yaml", "--no-page", "--trials", "60", *ONE_SLOT)
    processes.append(search)
    record = place / "results/toy/record.jsonl"
    deadline = time.monotonic() + 120
    while not (record.is_file() and "epoch_scored" in record.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    (victim,) = [pid for pid in family(search.pid) if name_of(pid) == server]
    os.kill(victim, signal.SIGKILL)
    out, _ = search.communicate(timeout=60)
    assert search.returncode == 1
    assert f"Ray's {server} has died; running epochs are lost, nothing finished is. To continue: python" in out
    assert any(isinstance(event, SearchEnded) for event in recorded(place)), "and the record says so"


def name_of(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""
