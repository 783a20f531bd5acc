"""No file that somebody sends ends in a traceback, runs code, takes ten seconds or a gibibyte: it is read, or refused."""

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.hostile.corpus import CASES
from tests.toys import ROOT


@pytest.fixture(scope="module")
def worker() -> Iterator[subprocess.Popen[str]]:
    """The process that reads them all."""
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-m", "tests.hostile.worker"], stdin=pipe, stdout=pipe, text=True, cwd=ROOT
    ) as process:
        yield process
        process.kill()


def test_there_are_at_least_120() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize("name", CASES)
def test_it_is_read_or_refused_with_an_error_of_ours(name: str, worker: subprocess.Popen[str]) -> None:
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(f"{name}\n")
    worker.stdin.flush()
    came = json.loads(worker.stdout.readline())
    assert came["ended"] in (("refused",) if CASES[name].refused else ("refused", "read")), came["said"]
    assert "\x1b" not in came["said"]
