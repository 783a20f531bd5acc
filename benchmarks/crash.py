"""What kill -9 costs: of the driver, of a trial's process, of everything, and of the export, at random moments.

python -m benchmarks.crash --moments 20 --json rows.json

Every row is a study of its own on drawn faces, one trial at a time. It is killed once at a random moment, or in the middle of
writing a state, a record line or a report; then the same command runs to the end (after a trial's death it just goes
on). Every epoch that stood in a manifest when the kill came must stand there in the end with the same time of day: it was
not trained again. And the study is compared with one that nobody killed: the decisions must be the same, one by one. One
kill in five more hits an export.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from studies.record.events import EpochScored, Event, TrialAdded
from studies.record.record import read_record
from studies.trials.stored_trial import read_trial

ROOT = Path(__file__).resolve().parent.parent
SPACE = """
task: mask
data: {source: sample_faces, people: 20, scale: 0.125}
parameters: {learning_rate: {low: 1e-4, high: 1e-2, log: true}}
constants: {backbone: test_efficientnet, weights: none, image_size: 32, epochs: 3, batch_size: 8}
search: {trials: 6, folds: 2, finalists: 2}
"""
EVENTS = 30  # about as many lines as a record of this study has: moments are spread over them
Moment = Callable[[Path, random.Random], bool]  # waits for it, and tells whether it came
Kill = tuple[str, str]  # victim and moment
Epochs = dict[tuple[int, int, int], float]  # trial, fold and epoch, and when it was saved


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        reference = finished_study(Path(place))
        rows = []
        for row in measured(
            arguments.moments, arguments.seed, decisions(list(read_record(reference / "record.jsonl")))
        ):
            print(row, flush=True)
            rows.append(row)
    Console(width=170).print(shown(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def measured(count: int, seed: int, reference: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for every kill: victims and moments in turn, and after every fourth one in the export."""
    generator = random.Random(seed)
    kinds = [(victim, moment) for moment in MOMENTS for victim in VICTIMS]
    for number, (victim, moment) in enumerate(islice(cycle(kinds), count)):
        yield kill_search([(victim, moment)], generator, reference)
        if number % 4 == 3:
            yield kill_export(generator)


def kill_search(kills: Sequence[Kill], generator: random.Random, reference: list[Any]) -> dict[str, Any]:
    """Kill victims at moments of a study, one after the other, let the study end, and return what they cost."""
    with tempfile.TemporaryDirectory() as place:
        study, hit, saved, records = prepared(Path(place)), list[bool](), Epochs(), list[list[Event]]()
        driver = launch(Path(place))
        for victim, moment in kills:
            hit.append(MOMENTS[moment](study, generator))
            VICTIMS[victim](driver)
            saved = saved_epochs(study) | saved
            records.append(list(read_record(study / "record.jsonl")))
            if victim != "trial":
                driver.wait()
                driver = launch(Path(place))
        code = driver.wait(timeout=300)
        killed, moments = (", ".join(words) for words in zip(*kills, strict=True))
        row = {"killed": killed, "at": moments, "hit": all(hit), "exit_code": code}
        return row | cost(study, saved, records, reference)


def saved_epochs(study: Path) -> Epochs:
    """Return the epochs that the manifests of a study hold."""
    trials = [int(path.parent.name) for path in study.glob("trials/*/manifest.json")]
    parts = [part for trial in trials if (stored := read_trial(study, trial)) for part in stored.parts.values()]
    return {(part.trial, line.fold, line.epoch): line.time for part in parts for line in part.curve}


def kill_export(generator: random.Random) -> dict[str, Any]:
    """Kill an export at a random moment and return whether the next one is whole."""
    with tempfile.TemporaryDirectory() as place:
        finished_study(Path(place))
        command = [sys.executable, str(ROOT / "export_best.py")]
        first = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(generator.uniform(1, 12))
        first.kill()
        first.wait()
        again = subprocess.run(command, cwd=place, capture_output=True, check=False)
        bundles = [path for path in Path(place, "ensembles").iterdir() if not path.name.startswith(".")]
        return {"killed": "export", "at": "any time", "exit_code": again.returncode, "bundles": len(bundles)}


def cost(study: Path, saved: Epochs, records: list[list[Event]], reference: list[Any]) -> dict[str, Any]:
    """Compare a finished study with what it held whenever it was killed, and with the one nobody killed."""
    after, at_the_end = list(read_record(study / "record.jsonl")), saved_epochs(study)
    scored = Counter((event.trial, event.fold, event.epoch) for event in after if isinstance(event, EpochScored))
    trials = Counter(event.trial for event in after if isinstance(event, TrialAdded))
    checked = subprocess.run(
        [sys.executable, "-m", "analysis.check", str(study)], cwd=ROOT, capture_output=True, check=False
    )
    return {
        "saved_before": len(saved),
        "unrecorded": len(saved) - sum(isinstance(event, EpochScored) for event in records[-1]),
        "record_kept": all(after[: len(record)] == record for record in records),
        "trained_twice": sum(at_the_end.get(epoch) != time for epoch, time in saved.items()),
        "doubled_epochs": sum(count - 1 for count in scored.values()),
        "doubled_trials": sum(count - 1 for count in trials.values()),
        "same_decisions": decisions(after) == reference,
        "check_passes": checked.returncode == 0,
    }


def decisions(events: list[Event]) -> list[Any]:
    """Return what a study decided and saw, less the times."""
    return [
        (event.trial, event.configuration)
        if isinstance(event, TrialAdded)
        else (event.trial, event.fold, event.epoch, round(event.score, 6))
        for event in events
        if isinstance(event, TrialAdded | EpochScored)
    ]


def prepared(place: Path) -> Path:
    """Write the space into a folder and return where its study will lie."""
    (place / "toy.yaml").write_text(SPACE)
    return place / "results/toy"


def finished_study(place: Path) -> Path:
    """Run the toy search to its end in a folder and return the study."""
    study = prepared(place)
    assert launch(place).wait(timeout=300) == 0, f"the toy search fails in {place}"
    return study


def launch(place: Path, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    """Start the search in a folder of its own, one trial at a time, as the head of a process group."""
    cores = str(os.cpu_count() or 1)
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "toy.yaml", "--cpus-per-trial", cores]
    nowhere = subprocess.DEVNULL
    patient = {
        **os.environ,
        "OMP_WAIT_POLICY": "passive",
        **(environment or {}),
    }  # threads that spin for each other crawl on a busy machine
    return subprocess.Popen(command, cwd=place, start_new_session=True, stdout=nowhere, stderr=nowhere, env=patient)


def trial_processes(driver: int) -> list[int]:
    """Return the processes that train below a driver, known by their titles, once there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := [pid for pid in descendants(driver) if b"toy (mask) trial" in _title(pid)]:
            return found
    raise TimeoutError(f"no trial below process {driver} within a minute")


def _title(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def descendants(pid: int) -> list[int]:
    """Return all processes below one."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
    below, fresh = set[int](), {pid}
    while fresh:
        fresh = {child for child, parent in parents.items() if parent in fresh} - below
        below |= fresh
    return sorted(below)


def kill_everything(driver: subprocess.Popen[bytes]) -> None:
    """Kill a driver, its group and all that it started."""
    below = descendants(driver.pid)
    os.killpg(driver.pid, signal.SIGKILL)
    for pid in below:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def wait_for_lines(study: Path, count: int) -> None:
    """Wait until a record has so many lines."""
    record, deadline = study / "record.jsonl", time.monotonic() + 120
    while not record.exists() or record.read_bytes().count(b"\n") < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{record}: no {count} lines within two minutes")
        time.sleep(0.002)


def at_any_time(study: Path, generator: random.Random) -> bool:
    """Wait for some line of the record, and some part of an epoch on."""
    wait_for_lines(study, generator.randint(2, EVENTS))
    time.sleep(generator.uniform(0, 0.4))
    return True


def at_a_record_write(study: Path, generator: random.Random) -> bool:
    """Wait until the driver is appending a line."""
    wait_for_lines(study, generator.randint(2, EVENTS))
    return True


def at_a_state_write(study: Path, generator: random.Random) -> bool:
    """Wait until a trial is writing a file under its temporary name."""
    wait_for_lines(study, generator.randint(2, EVENTS - 8))
    deadline = time.monotonic() + 30
    while not any(study.glob("trials/*/fold_*/**/.*.torn")):
        if time.monotonic() > deadline:
            return False
    return True


def at_a_report(study: Path, generator: random.Random) -> bool:
    """Wait until an epoch is saved and not recorded yet."""
    wait_for_lines(study, generator.randint(2, EVENTS - 8))

    def saved() -> float:
        return max((path.stat().st_mtime for path in study.glob("trials/*/fold_*/manifest.json")), default=0.0)

    before, deadline = saved(), time.monotonic() + 30
    while saved() == before:
        if time.monotonic() > deadline:
            return False
    return True


MOMENTS: dict[str, Moment] = {
    "any time": at_any_time,
    "record write": at_a_record_write,
    "state write": at_a_state_write,
    "report": at_a_report,
}
VICTIMS: dict[str, Callable[[subprocess.Popen[bytes]], None]] = {
    "driver": lambda driver: driver.kill(),
    "trial": lambda driver: os.kill(trial_processes(driver.pid)[0], signal.SIGKILL),
    "everything": kill_everything,
}


def shown(rows: list[dict[str, Any]]) -> Table:
    """Return the rows as a table for the terminal."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(*columns)
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    return table


if __name__ == "__main__":
    main()
