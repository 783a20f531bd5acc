"""What kill -9 costs a study: of the driver, and of a trial's process, at several moments each.

python -m benchmarks.kills --moments 1 5 9 --json rows.json

Every row is a study of its own on drawn faces: it is killed once so many fold-epochs are recorded, then
the same command runs again (after the driver's death) or just goes on (after a trial's).
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from schedulers.events import EpochScored, Event, TrialAdded
from schedulers.record import read_record
from trainables.manifest import read_manifest

ROOT = Path(__file__).resolve().parent.parent
_SPACE = """
task: mask
data: {source: sample_faces, people: 20, scale: 0.125}
parameters: {learning_rate: {low: 1e-4, high: 1e-2, log: true}}
constants: {backbone: test_efficientnet, pretrained: false, image_size: 32, epochs: 3, batch_size: 8}
search: {trials: 5, folds: 2, finalists: 1}
"""


def measure(victim: str, moment: int) -> dict[str, Any]:
    """Kill `victim` once `moment` fold-epochs are recorded and return what that cost."""
    with tempfile.TemporaryDirectory() as place:
        study = Path(place) / "results/toy"
        (Path(place) / "toy.yaml").write_text(_SPACE)
        driver = launch(place)
        wait_for_epochs(study / "record.jsonl", moment)
        before = list(read_record(study / "record.jsonl"))
        if victim == "driver":
            driver.kill()
            driver.wait()
            before = list(read_record(study / "record.jsonl"))
            driver = launch(place)
        else:
            os.kill(trial_process(driver.pid), signal.SIGKILL)
        code = driver.wait(timeout=240)
        return {"killed": victim, "after_fold_epochs": moment, "exit_code": code, **cost(study, before)}


def cost(study: Path, before: list[Event]) -> dict[str, Any]:
    """Compare a finished study with what its record said when it was killed."""
    after = list(read_record(study / "record.jsonl"))
    scored = Counter((event.trial, event.fold, event.epoch) for event in after if isinstance(event, EpochScored))
    trials = Counter(event.trial for event in after if isinstance(event, TrialAdded))
    finished = sum(isinstance(event, EpochScored) for event in before)
    in_folders = sum(len(manifest.curve) for trial in trials if (manifest := read_manifest(study, trial)))
    return {
        "finished_before": finished,
        "record_kept": after[: len(before)] == before,
        "trained_twice": sum(count - 1 for count in scored.values()),
        "trials": len(trials),
        "doubled_trials": sum(count - 1 for count in trials.values()),
        "folders_agree": in_folders == sum(scored.values()),
    }


def launch(place: str) -> subprocess.Popen[bytes]:
    """Start the search in a folder of its own."""
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "toy.yaml"]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for_epochs(record: Path, count: int) -> None:
    """Wait until a record holds so many fold-epochs."""
    deadline = time.monotonic() + 120
    while not record.exists() or sum(isinstance(event, EpochScored) for event in read_record(record)) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{record}: no {count} fold-epochs within two minutes")
        time.sleep(0.02)


def trial_process(driver: int) -> int:
    """Return a process that trains below a driver, known by its title."""
    while True:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if b"toy trial" in (folder / "cmdline").read_bytes() and driver in ancestors(int(folder.name)):
                    return int(folder.name)
            except OSError:
                continue


def ancestors(pid: int) -> list[int]:
    """Return the processes above one, nearest first."""
    above = []
    while pid > 1:
        pid = int((Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[1])
        above.append(pid)
    return above


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, nargs="+", default=[1, 5, 9], help="fold-epochs after which to kill")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = [measure(victim, moment) for victim in ("driver", "trial") for moment in arguments.moments]
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=150).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
