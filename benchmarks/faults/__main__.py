"""What real faults cost: of storage, of Ray's servers, of processes, of limits, at random moments of a real search.

    python -m benchmarks.faults --moments 34 --rows faults.jsonl

Every row is a study of its own on drawn faces. Something goes wrong once, at a random moment; then the same command is typed
until it exits with 0, which it should at once where what went wrong has passed. Every epoch that stood in a manifest before must
stand there in the end with the same time of day. Needs a C compiler for the library that has calls fail.
"""

import argparse
import os
import random
import signal
import subprocess
import tempfile
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.crash import at_any_time, cost, decisions, finished_study, launch, prepared, saved_epochs
from benchmarks.faults.kinds import KINDS, Running
from benchmarks.faults.preload import FailingStorage
from benchmarks.recording import append_row, read_rows
from studies.record.record import read_record
from studies.state.study_state import StudyState

HANGS = 240  # seconds after which a launch of this study hangs
LAUNCHES = 5
COLUMNS = ("fault", "launches", "lost", "trained_twice", "failed", "hung", "same_decisions", "check_passes")


def main() -> None:
    """Measure what has no row, write it, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=len(KINDS) * 2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=Path, required=True)
    arguments = parser.parse_args()
    done = len(read_rows(arguments.rows))
    with tempfile.TemporaryDirectory() as place:
        reference = decisions(list(read_record(finished_study(Path(place)) / "record.jsonl")))
    for number, kind in enumerate(islice(cycle(KINDS), arguments.moments)):
        if number >= done:
            append_row(arguments.rows, measured(kind, random.Random(1000 * arguments.seed + number), reference))
    rows = read_rows(arguments.rows)
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*(str(row[column]) for column in COLUMNS))
    table.add_row("all", *(str(sum(row[column] for row in rows)) for column in COLUMNS[1:]))
    Console(width=150).print(table)


def measured(kind: str, dice: random.Random, reference: list[Any]) -> dict[str, Any]:
    """Have one thing go wrong in a study, have it end, and return what that cost."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        study = prepared(place)
        storage = FailingStorage.built(place, study)
        driver = launch(place, storage.environment())
        at_any_time(study, dice)
        saved, record = saved_epochs(study), list(read_record(study / "record.jsonl"))
        KINDS[kind](Running(driver, place, storage, dice))
        launches = until_finished(place, driver)
        row = cost(study, saved, [record], reference)
        state = StudyState(read_record(study / "record.jsonl"))
        return {
            "fault": kind,
            "launches": launches,
            "lost": len(saved.keys() - saved_epochs(study).keys()),
            "failed": sum(trial.failure is not None for trial in state.trials.values()),
            "hung": launches > LAUNCHES,
            **row,
        }


def until_finished(place: Path, driver: subprocess.Popen[bytes]) -> int:
    """Type the same command until it exits with 0; return how often it was, `LAUNCHES` + 1 where it hangs or never does."""
    for launches in range(1, LAUNCHES + 1):
        try:
            if driver.wait(timeout=HANGS) == 0:
                return launches
        except subprocess.TimeoutExpired:
            os.killpg(driver.pid, signal.SIGKILL)
            driver.wait()
            return LAUNCHES + 1
        driver = launch(place)
    return LAUNCHES + 1


if __name__ == "__main__":
    main()
