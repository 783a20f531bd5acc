"""What a trial costs beside its training: the launch, from one climb to the next, and what is written.

    python -m benchmarks.trial_overhead --json rows.json

Real launches of age.yaml on sample faces, with a warm cache. The first batch of an epoch is taken to begin when the driver
recorded the epoch, less what the trial spent on it from there on; so the gaps contain every message in between.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from benchmarks.reporting import Row, report
from studies.record.events import ClimbStarted, EpochScored, Event, TrialAdded
from studies.record.record import Record, read_record

ROOT = Path(__file__).resolve().parent.parent
STAGES = {"Profile": "imports", "images, split": "data", "Ray dashboard": "Ray"}  # the line that ends each stage


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder)
        search(results / "warm", one_trial())
        rows = launches(results, arguments.repeats)
        serial = ["--cpus-per-trial", str(os.cpu_count()), "--trials", str(arguments.trials), "--set", "data.people=60"]
        rows += gaps(search(results / "serial", [*serial, "--set", "search.folds=2"]))
        rows += writing(search(results / "written", ["--trials", "2", "--set", "search.finalists=1"]), results)
    report("What a trial costs beside its training", rows, arguments.json)


def one_trial() -> list[str]:
    """Return the options of a study of one short trial."""
    return ["--trials", "1", "--set", "search.folds=2", "--set", "constants.epochs=2", "--set", "search.finalists=1"]


def search(results: Path, options: Sequence[str], stages: dict[str, float] | None = None) -> list[Event]:
    """Run a search of age.yaml to its end and return its record; note when the stages of the launch ended."""
    command = [sys.executable, "-u", str(ROOT / "launch_search.py"), "--space", "age.yaml", "--results", str(results)]
    noted = {} if stages is None else stages
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            for words, stage in STAGES.items():
                if words in line:
                    noted.setdefault(stage, time.time())
    assert process.returncode == 0
    return list(read_record(results / "age" / "record.jsonl"))


def launches(results: Path, repeats: int) -> list[Row]:
    """Return the seconds from the command to the first batch, and where they go, against plain Ray Tune."""
    taken: dict[str, list[float]] = defaultdict(list)
    for number in range(repeats):
        stages: dict[str, float] = {}
        began = time.time()
        events = search(results / f"launch{number}", one_trial(), stages)
        plain_began = time.time()
        plain = [sys.executable, "-m", "benchmarks.plain_tune", str(results / "warm" / "age")]
        printed = subprocess.run(plain, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        stages["study and first climb"] = next(one.time for one in events if isinstance(one, ClimbStarted))
        stages["actor to first batch"] = first_batch(next(one for one in events if isinstance(one, EpochScored)))
        for (_, start), (stage, end) in pairwise([("", began), *stages.items()]):
            taken[f"launch: {stage}"].append(end - start)
        taken["launch to first batch"].append(stages["actor to first batch"] - began)
        taken["the same, plain Ray Tune"].append(float(printed.split()[-1]) - plain_began)
    return [row(name, seconds) for name, seconds in taken.items()]


def gaps(events: Sequence[Event]) -> list[Row]:
    """Return the seconds from the end of an epoch to the first batch of the next, by what the actor goes on with."""
    origins = {one.trial: one.origin for one in events if isinstance(one, TrialAdded)}
    taken: dict[str, list[float]] = defaultdict(list)
    for before, after in pairwise(one for one in events if isinstance(one, EpochScored)):
        climb = any(isinstance(one, ClimbStarted) and before.time <= one.time <= after.time for one in events)
        new = (after.fold, after.epoch) == (0, 0)
        kind = (
            f"a new trial ({origins[after.trial]})"
            if new
            else f"{'its own' if before.trial == after.trial else 'another'} trial"
        )
        taken[f"{'to a climb with' if climb else 'inside a climb of'} {kind}"].append(first_batch(after) - before.time)
    return [row(name, seconds) for name, seconds in sorted(taken.items())]


def writing(events: Sequence[Event], folder: Path) -> list[Row]:
    """Return the seconds that writing takes in a search, and their share of the trials' own time."""
    epochs = [one for one in events if isinstance(one, EpochScored)]
    saving, writing = (sum(one.phases.get(phase, 0.0) for one in epochs) for phase in ("save", "write"))
    training = sum(one.phases[phase] for one in epochs for phase in ("prepare", "train", "judge", "save"))
    with Record(folder / "copy.jsonl") as record:
        started = time.perf_counter()
        for event in events:
            record.append(event)
        recording = time.perf_counter() - started
    parts = {
        "weights, predictions, manifests": saving,
        "states, beside judging": writing,
        f"record, {len(events)} events": recording,
        "all that is written": saving + writing + recording,
    }
    return [
        {"what": what, "seconds": round(seconds, 2), "share": round(seconds / training, 4)}
        for what, seconds in parts.items()
    ]


def first_batch(epoch: EpochScored) -> float:
    """Return when an epoch's first batch began."""
    return epoch.time - sum(epoch.phases[phase] for phase in ("train", "judge", "save"))


def row(what: str, seconds: Sequence[float]) -> Row:
    """Return the median and the worst of what was measured."""
    median = statistics.median(seconds)
    return {"what": what, "times": len(seconds), "seconds": round(median, 3), "worst": round(max(seconds), 3)}


if __name__ == "__main__":
    main()
