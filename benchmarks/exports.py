"""Whether every time budget leaves something to export and to predict with, on an idle machine and beside busy processes.

    python -m benchmarks.exports --budgets 20 --rows exports.jsonl
    python -m benchmarks.exports --budgets 20 --rows exports.jsonl --busy

A first launch announces when a first fold is finished. The budgets begin at 1.15 times that and grow evenly to eight times it;
each is a new study, searched, exported and predicted with by the README's commands. `--busy` keeps a process busy on every core
meanwhile. A budget that is in the rows is not run again.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.recording import append_row, read_rows
from search_spaces.durations import parse_duration
from studies.state.study_state import StudyState
from studies.study import Study
from studies.study_folder import StudyFolder

ROOT = Path(__file__).resolve().parent.parent
SPACE = """
task: mask
data: {source: sample_faces, people: 40, scale: 0.125}
parameters:
  optimizer:     {choice: [adamw, sgd]}
  learning_rate: {low: 1e-4, high: 1e-2, log: true}
constants: {backbone: test_efficientnet, weights: none, image_size: 64, epochs: 9, batch_size: 16}
search: {trials: 24, folds: 5, finalists: 3}
"""
LEAST, MOST = 1.15, 8.0  # times the announced seconds to a first fold
COLUMNS = ("busy", "budget", "searched", "configurations", "finished folds", "complete", "over by", "export", "predict")


@contextmanager
def load(busy: bool) -> Iterator[None]:
    """Keep a process busy on every core as long as the block runs."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)] if busy else []
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def command(place: Path, script: str, *options: str) -> tuple[int, str]:
    """Run one of the three commands; return its exit code and what it printed."""
    words = [sys.executable, str(ROOT / script), *options]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def announced(place: Path) -> float:
    """Return the seconds after which a launch says that there is something to export."""
    options = ("--space", "toy.yaml", "--no-page", "--time-budget", "10m", "--fold-epochs", "90")
    _, printed = command(place, "launch_search.py", *options)
    found = re.search(r"something to export after about ([\dhms ]+)", printed)
    if found is None:
        raise ValueError(f"nothing was announced:\n{printed}")
    return parse_duration(found[1])


def measured(place: Path, seconds: float) -> dict[str, Any]:
    """Search under a budget, export, predict, and return what came out."""
    name, began = f"budget{seconds:.0f}", time.monotonic()
    options = ("--space", "toy.yaml", "--study", name, "--no-page", "--time-budget", f"{seconds}s")
    searched, _ = command(place, "launch_search.py", *options)
    took = time.monotonic() - began
    study = Study.existing(StudyFolder(place / "results" / name))
    state = StudyState(study.events())
    exported, _ = command(place, "export_best.py", "--study", name, "--name", name)
    images = study.folder.facts(study.folder.data, ("root",))["root"]
    predicted, _ = command(place, "predict.py", "--bundle", f"ensembles/{name}", "--images", images)
    epochs = int(study.space.recipe()["epochs"])
    finished = [list(trial.progress.values()).count(epochs) for trial in state.trials.values()]
    return {
        "budget": round(seconds, 1),
        "searched": searched,
        "wall": round(took, 1),
        "configurations": len(state.trials),
        "finished folds": sum(finished),
        "complete": sum(folds == study.space.search.folds for folds in finished),
        "over by": round(max(0.0, state.elapsed - seconds), 1),
        "export": exported,
        "predict": predicted,
    }


def main() -> None:
    """Run what has no row, write it, print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budgets", type=int, default=20)
    parser.add_argument("--busy", action="store_true", help="beside a busy process on every core")
    parser.add_argument("--rows", type=Path, required=True)
    arguments = parser.parse_args()
    done = [row for row in read_rows(arguments.rows) if row["busy"] == arguments.busy]
    with tempfile.TemporaryDirectory() as folder, load(arguments.busy):
        place = Path(folder)
        (place / "toy.yaml").write_text(SPACE)
        first = done[0]["announced"] if done else announced(place)
        for times in np.linspace(LEAST, MOST, arguments.budgets)[len(done) :]:
            row = measured(place, float(times) * first)
            append_row(arguments.rows, {"busy": arguments.busy, "announced": first, **row})
    table = Table(*COLUMNS)
    for row in read_rows(arguments.rows):
        table.add_row(*(str(row[column]) for column in COLUMNS))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
