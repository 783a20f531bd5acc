"""How soon we have what plain Ray Tune has at the end of its search: launches of both, one after the other, all cores each.

    python -m benchmarks.wall_time --sets animals mnist orl_identity --trials 16 --json rows.json

Both get the same pictures, folds, epochs, batches, network and weights (see `benchmarks.plain_search`); the score is the mean
macro F1 of the folds of a trial that has trained all of them. Time is from the command, start-up included. Run it on an idle
machine.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.plain_search import METRIC
from benchmarks.sets.pictures import write_set
from benchmarks.sets.prepared import PACKAGED
from studies.record import read_record
from studies.study_folder import StudyFolder
from studies.study_state import StudyState

ROOT = Path(__file__).resolve().parent.parent
Found = list[tuple[float, float]]  # seconds since the command, and the best score then


@dataclass(frozen=True)
class Comparison:
    """One set: how long plain Ray Tune took and what it found, when we had that, and what we found in the end."""

    name: str
    plain_seconds: float
    plain_score: float
    seconds_to_it: float | None
    seconds: float
    score: float
    recipe: float


def ours(folder: Path, options: Sequence[str]) -> tuple[Found, float, float]:
    """Search a set; return when the best score rose, the seconds of all, and the recipe's score."""
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "classify.yaml", "--study", "ours"]
    began = time.time()
    data = [
        "--data",
        str(folder / "labels.csv"),
        "--set",
        "data.person_column=group",
        "--results",
        str(folder / "results"),
    ]
    subprocess.run([*command, *data, *options], check=True, stdout=subprocess.DEVNULL)
    ended = time.time()
    study = StudyFolder(folder / "results/ours")
    state, space = StudyState(read_record(study.record)), study.stored_space()
    epochs, folds = int(space.recipe()["epochs"]), space.search.folds
    whole = sorted(
        (trial.epochs[-1].time, sum(scores) / folds, trial.origin)
        for trial in state.trials.values()
        if len(scores := trial.fold_scores(epochs)) == folds
    )
    rising: Found = []
    for at, score, _ in whole:
        if not rising or score > rising[-1][1]:
            rising.append((at - began, score))
    return rising, ended - began, next(score for _, score, origin in whole if origin == "recipe")


def plain(folder: Path, trials: int, seed: int) -> tuple[float, float]:
    """Search the same folds with plain Ray Tune; return the seconds of all and the best score."""
    study = StudyFolder(folder / "results/ours")
    recipe = study.stored_space().recipe()
    with open(folder / "labels.csv", newline="", encoding="utf-8") as labels:
        label_of = {row["path"]: row["label"] for row in csv.DictReader(labels)}
    with (
        open(study.samples, newline="", encoding="utf-8") as samples,
        open(folder / "folds.csv", "w", newline="") as out,
    ):
        rows = [(row["id"], label_of[row["id"]], row["fold"]) for row in csv.DictReader(samples)]
        csv.writer(out).writerows([("path", "label", "fold"), *rows])
    shared = ["--size", recipe["image_size"], "--epochs", recipe["epochs"], "--batch-size", recipe["batch_size"]]
    own = ["--trials", trials, "--seed", seed, "--results", folder / "plain"]
    command = [sys.executable, "-m", "benchmarks.plain_search", str(folder / "folds.csv"), *map(str, [*shared, *own])]
    began = time.time()
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return time.time() - began, json.loads(printed.strip().splitlines()[-1])[METRIC]


def compared(name: str, trials: int, seed: int, options: Sequence[str]) -> Comparison:
    """Run both sides on a set."""
    with tempfile.TemporaryDirectory() as place:
        write_set(PACKAGED[name][0](), Path(place))
        rising, seconds, recipe = ours(Path(place), ["--trials", str(trials), "--seed", str(seed), *options])
        plain_seconds, plain_score = plain(Path(place), trials, seed)
        first = next((at for at, score in rising if score >= plain_score), None)
        return Comparison(name, plain_seconds, plain_score, first, seconds, rising[-1][1], recipe)


def main() -> None:
    """Run, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["animals", "mnist", "orl_identity"], choices=list(PACKAGED))
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of our side")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    options = [word for override in arguments.set for word in ("--set", override)]
    table = Table("set", "plain, s", "plain, score", "we have it, s", "ratio", "our end, s", "our score", "recipe")
    rows = []
    for name in arguments.sets:
        row = compared(name, arguments.trials, arguments.seed, options)
        rows.append(asdict(row))
        ratio = "never" if row.seconds_to_it is None else f"1 / {row.plain_seconds / row.seconds_to_it:.1f}"
        at = "" if row.seconds_to_it is None else f"{row.seconds_to_it:.0f}"
        own = (at, ratio, f"{row.seconds:.0f}", f"{row.score:.3f}", f"{row.recipe:.3f}")
        table.add_row(name, f"{row.plain_seconds:.0f}", f"{row.plain_score:.3f}", *own)
        Console(width=120).print(table)
        if arguments.json:
            arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
