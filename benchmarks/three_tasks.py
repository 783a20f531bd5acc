"""Three tasks in one launch beside three launches of one: wall time, and how much of it the cores train or judge.

    python -m benchmarks.three_tasks --rows benchmarks/rows/three_tasks.jsonl --trials 8 --set data.people=60

Options go on to launch_search.py. Appends a row and prints all. Run it on an idle machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.recording import append_row, read_rows
from studies.record.events import EpochScored
from studies.record.record import read_record
from studies.study_folder import StudyFolder

ROOT = Path(__file__).resolve().parent.parent
TASKS = ("mask", "gender", "age")
_BUSY = ("train", "judge")
_COLUMNS = ("together", "one after the other", "busy together", "busy one after the other", "fold-epochs")


def searched(results: Path, tasks: Sequence[str], options: Sequence[str]) -> float:
    """Search tasks in one launch, and return its seconds."""
    spaces = [word for task in tasks for word in ("--space", f"{task}.yaml")]
    command = [
        sys.executable,
        str(ROOT / "launch_search.py"),
        "--results",
        str(results),
        "--no-page",
        *spaces,
        *options,
    ]
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def epochs_of(results: Path) -> Iterator[EpochScored]:
    """Yield the epochs of all tasks."""
    for task in TASKS:
        yield from (one for one in read_record(StudyFolder(results / task).record) if isinstance(one, EpochScored))


def busy_share(results: Path, seconds: float) -> float:
    """Return the share of the cores' time in which they train or judge."""
    busy = sum(epoch.phases.get(phase, 0.0) for epoch in epochs_of(results) for phase in _BUSY)
    return busy / (seconds * (os.cpu_count() or 1))


def measured(options: Sequence[str]) -> dict[str, float]:
    """Return a row: all three in one launch, then one launch each."""
    with tempfile.TemporaryDirectory() as place:
        joint, single = Path(place) / "joint", Path(place) / "single"
        together = searched(joint, TASKS, options)
        alone = sum(searched(single, [task], options) for task in TASKS)
        fold_epochs = float(len(list(epochs_of(joint))))
        values = (together, alone, busy_share(joint, together), busy_share(single, alone), fold_epochs)
        return dict(zip(_COLUMNS, (round(value, 3) for value in values), strict=True))


def main() -> None:
    """Measure once more, then print all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    arguments, options = parser.parse_known_args()
    append_row(arguments.rows, {"options": " ".join(options), **measured(options)})
    table = Table("options", *_COLUMNS, "ratio of time")
    for row in read_rows(arguments.rows):
        ratio = row["together"] / row["one after the other"]
        table.add_row(row["options"], *(f"{row[column]:.3g}" for column in _COLUMNS), f"{ratio:.2f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
