"""`--address` joins a cluster that `ray start --head` began, with its token; without one it says how to get it."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.toys import ROOT

pytestmark = pytest.mark.slow
JOIN = """
import sys
from pathlib import Path
from tempfile import mkdtemp
from schedulers.ray.cluster import start_ray, stop_ray
try:
    print(start_ray("toy", sys.argv[1], {}, Path(sys.argv[2])).cpus, "CPUs")
    stop_ray()
except ValueError as error:
    print(error)
"""


def at_home(home: Path) -> dict[str, str]:
    """Return an environment in which a folder is the user's home: Ray keeps its token there."""
    home.mkdir(exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")}
    return {**kept, "HOME": str(home), "PYTHONPATH": str(ROOT)}


def join(address: str, home: Path, code: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", JOIN, address, str(code)]
    return subprocess.run(command, env=at_home(home), capture_output=True, text=True, check=True, timeout=120)


RAY = str(Path(sys.executable).with_name("ray"))


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """A cluster of one CPU on this machine whose token lies in `owner`."""
    at_owner = at_home(tmp_path / "owner")
    subprocess.run([RAY, "get-auth-token", "--generate"], env=at_owner, check=True, capture_output=True)
    with cluster(at_owner) as address:
        yield address


@contextmanager
def cluster(environment: dict[str, str]) -> Iterator[str]:
    """Run a cluster of one CPU on this machine as long as the block does."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    session = mkdtemp(prefix="ray")  # a short path: sockets lie below it
    options = ["--num-cpus=1", "--include-dashboard=false", "--disable-usage-stats", f"--temp-dir={session}"]
    command = [RAY, "start", "--head", "--block", f"--port={port}", "--node-ip-address=127.0.0.1", *options]
    head = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert head.stdout is not None
    while b"--block" not in (line := head.stdout.readline()):
        assert line, "the cluster did not start"
    try:
        yield f"127.0.0.1:{port}"
    finally:
        head.terminate()
        head.wait(timeout=60)
        shutil.rmtree(session, ignore_errors=True)


def test_a_cluster_is_joined_by_its_address_with_the_token_of_this_machine_and_without_it_the_error_says_how_to_get_it(
    address: str, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    joined = join(address, tmp_path / "owner", tmp_path / "code")
    assert joined.stdout == "1 CPUs\n", joined.stderr
    refused = join(address, tmp_path / "stranger", tmp_path / "code")
    assert "there is no token of the cluster here" in refused.stdout
    assert "ray get-auth-token, and set it here as RAY_AUTH_TOKEN" in refused.stdout
    assert "InvalidAuthToken" not in refused.stdout + refused.stderr


def test_a_cluster_that_asks_nobody_for_a_token_is_not_joined_although_a_token_lies_here(tmp_path: Path) -> None:
    """Whoever reaches such a cluster runs code on it, and a token of ours does not change that."""
    at_owner = at_home(tmp_path / "owner")
    subprocess.run([RAY, "get-auth-token", "--generate"], env=at_owner, check=True, capture_output=True)
    with cluster({**at_owner, "RAY_AUTH_MODE": "disabled"}) as address:
        refused = join(address, tmp_path / "owner", tmp_path)
    assert "the cluster asks for no token, so whoever reaches it runs code as you there" in refused.stdout


def test_an_address_where_nobody_listens_is_one_error(tmp_path: Path) -> None:
    refused = join("127.0.0.1:1", tmp_path / "stranger", tmp_path)
    assert "--address 127.0.0.1:1: nobody listens there" in refused.stdout
