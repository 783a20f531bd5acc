"""The three commands as processes, and a space that they search in seconds."""

import os
import subprocess
import sys
from pathlib import Path

from studies.record.events import Event
from studies.record.record import read_record
from studies.state.study_state import StudyState
from tests.toys import ROOT

SPACE = """
task: mask
data: {source: sample_faces, people: 20, scale: 0.125}
parameters:
  optimizer:     {choice: [adamw, sgd]}
  learning_rate: {low: 1e-4, high: 1e-2, log: true}
constants: {backbone: test_efficientnet, weights: none, image_size: 32, epochs: 3, batch_size: 16}
search: {trials: 5, folds: 2, finalists: 1}
"""


ONE_SLOT = ("--cpus-per-trial", str(os.cpu_count()))  # one process to start instead of one a core


def start(place: Path, script: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(ROOT / script), *arguments]
    environment, out = {**os.environ, "COLUMNS": "200"}, subprocess.PIPE
    return subprocess.Popen(command, cwd=place, stdout=out, stderr=subprocess.STDOUT, text=True, env=environment)


def run(place: Path, script: str, *arguments: str, code: int = 0) -> str:
    process = start(place, script, *arguments)
    out, _ = process.communicate(timeout=240)
    assert process.returncode == code, out
    assert "Traceback" not in out
    return out


def search(place: Path, *arguments: str, code: int = 0) -> str:
    """Search without a page, which nobody looks at."""
    return run(place, "launch_search.py", "--space", "toy.yaml", "--no-page", *arguments, code=code)


def state(place: Path, study: str = "toy") -> StudyState:
    return StudyState(recorded(place, study))


def recorded(place: Path, study: str = "toy") -> list[Event]:
    return list(read_record(place / f"results/{study}/record.jsonl"))
