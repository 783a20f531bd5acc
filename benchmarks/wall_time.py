"""How soon we have what plain Ray Tune has at the end of its search: launches of both, one after the other, all cores each.

    python -m benchmarks.wall_time --sets animals mnist orl_identity --trials 24 --rows wall_time.jsonl

Both get the same pictures, folds, epochs, batches, knobs, network and weights (see `benchmarks.plain_search`); the score is the
mean macro F1 of the folds of a trial that has trained all of them. Our portfolio is that of the other recorded sets. Time is from
the command, start-up included. A set that is in the rows is not run again. Run it on an idle machine.
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

from benchmarks.knowledge.left_out import portfolio_without
from benchmarks.plain_training import METRIC
from benchmarks.recording import append_row, read_rows
from benchmarks.sets.pictures import write_set
from benchmarks.sets.prepared import PACKAGED
from studies.state.study_state import StudyState
from studies.study import Study
from studies.study_folder import StudyFolder

ROOT = Path(__file__).resolve().parent.parent
Found = list[tuple[float, float]]  # seconds since the command, and the best score then


@dataclass(frozen=True)
class Comparison:
    """One set: how long plain Ray Tune took and what it found, when we had that, and what we found in the end."""

    name: str
    trials: int
    seed: int
    plain_seconds: float
    plain_score: float | None  # None: no trial trained all folds
    seconds_to_it: float | None
    seconds: float
    score: float | None
    recipe: float | None

    def cells(self) -> list[str]:
        """Return the row of the table."""
        ratio = f"1 / {self.plain_seconds / self.seconds_to_it:.1f}" if self.seconds_to_it else "never"
        numbers = (self.plain_seconds, self.plain_score, self.seconds_to_it, self.seconds, self.score, self.recipe)
        told = ["none" if one is None else f"{one:.0f}" if one > 1 else f"{one:.3f}" for one in numbers]
        return [self.name, str(self.trials), *told[:3], ratio, *told[3:]]


def ours(folder: Path, options: Sequence[str]) -> tuple[Found, float, float | None]:
    """Search a set; return when the best score rose, the seconds of all, and the recipe's score."""
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "classify.yaml", "--study", "ours"]
    data = ["--data", str(folder / "labels.csv"), "--set", "data.person_column=group"]
    began = time.time()
    results = ["--results", str(folder / "results")]
    subprocess.run([*command, *data, *results, *options], check=True, stdout=subprocess.DEVNULL)
    ended = time.time()
    study = Study.existing(StudyFolder(folder / "results/ours"))
    state, space = StudyState(study.events()), study.space
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
    return rising, ended - began, next((score for _, score, origin in whole if origin == "recipe"), None)


def write_folds(folder: Path) -> None:
    """Write the table of the folds that our search used."""
    with open(folder / "labels.csv", newline="", encoding="utf-8") as labels:
        label_of = {row["path"]: row["label"] for row in csv.DictReader(labels)}
    with open(StudyFolder(folder / "results/ours").samples, newline="", encoding="utf-8") as samples:
        rows = [(row["id"], label_of[row["id"]], row["fold"]) for row in csv.DictReader(samples)]
    with open(folder / "folds.csv", "w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([("path", "label", "fold"), *rows])


def plain(folder: Path, trials: int, seed: int) -> tuple[float, float | None]:
    """Search the same folds with plain Ray Tune; return the seconds of all and the best score."""
    recipe = Study.existing(StudyFolder(folder / "results/ours")).space.recipe()
    write_folds(folder)
    shared = ["--size", recipe["image_size"], "--epochs", recipe["epochs"], "--batch-size", recipe["batch_size"]]
    own = ["--trials", trials, "--seed", seed, "--results", folder / "plain"]
    command = [sys.executable, "-m", "benchmarks.plain_search", str(folder / "folds.csv"), *map(str, [*shared, *own])]
    began = time.time()
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    told = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return time.time() - began, told[-1][METRIC] if told else None


def compared(name: str, trials: int, seed: int, options: Sequence[str]) -> Comparison:
    """Run both sides on a set."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_set(PACKAGED[name][0](), folder)
        (folder / "others.yaml").write_text(portfolio_without(name).spelled(), encoding="utf-8")
        settings = ["--set", f"search.portfolio={folder / 'others.yaml'}", *options]
        rising, seconds, recipe = ours(folder, ["--trials", str(trials), "--seed", str(seed), *settings])
        plain_seconds, plain_score = plain(folder, trials, seed)
        first = next((at for at, score in rising if score >= (plain_score or 0.0)), None)
        best = rising[-1][1] if rising else None
        return Comparison(name, trials, seed, plain_seconds, plain_score, first, seconds, best, recipe)


def main() -> None:
    """Run what has no row, write it, print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["animals", "mnist", "orl_identity"], choices=list(PACKAGED))
    parser.add_argument("--trials", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="of our side")
    parser.add_argument("--rows", type=Path, required=True)
    arguments = parser.parse_args()
    options = [word for override in arguments.set for word in ("--set", override)]
    done = {(row["name"], row["trials"], row["seed"]) for row in read_rows(arguments.rows)}
    for name in arguments.sets:
        if (name, arguments.trials, arguments.seed) not in done:
            append_row(arguments.rows, asdict(compared(name, arguments.trials, arguments.seed, options)))
    ours_columns = ("we have it, s", "ratio", "our end, s", "our score", "recipe")
    table = Table("set", "trials", "plain, s", "plain, score", *ours_columns)
    for row in read_rows(arguments.rows):
        table.add_row(*Comparison(**row).cells())
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
