"""What tests of whole commands share: a folder with a space, and processes that do not outlive their test."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toys.commands import SPACE


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "toy.yaml").write_text(SPACE)
    return tmp_path


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.wait()
