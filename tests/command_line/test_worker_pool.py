"""Worker processes end with what they work for, whatever ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.toys import ROOT

DRAWING = """
import sys
from pathlib import Path
from datasets.sources.sample_faces.writing import sample_faces_root
if __name__ == "__main__":
    sample_faces_root(Path(sys.argv[1]), 4000, 0, "balanced", 1.0, lambda done, people: print(done, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_whoever_draws_faces_is_gone_soon_after_the_command_that_asked_for_them(
    number: signal.Signals, tmp_path: Path
) -> None:
    """Workers of a killed launch kept 280 MB each; workers of an interrupted launch emptied their queue first."""
    script = tmp_path / "draw.py"
    script.write_text(DRAWING)
    command = [sys.executable, str(script), str(tmp_path / "cache")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=environment, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as launch:
        assert launch.stdout is not None
        assert launch.stdout.readline()
        workers = [int(path.name) for path in Path("/proc").glob("[0-9]*") if parent_of(path) == launch.pid]
        assert len(workers) >= 2
        launch.send_signal(number)
        launch.wait(timeout=5)
        until_gone(workers)


def until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 5
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, left
        time.sleep(0.05)


def parent_of(process: Path) -> int | None:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:  # it has ended meanwhile
        return None


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
