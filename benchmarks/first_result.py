"""How soon there is a first result, and one on fresh pictures as good as plain Ray Tune's last: launches side by side in turn.

    git worktree add /tmp/before REVISION
    python -m benchmarks.first_result --before /tmp/before --sets digits animals mnist --seeds 0 1 2 --rows first_result.jsonl

Every set and seed is searched by this version, by the version before and by plain Ray Tune (see `benchmarks.plain_search`), one
after the other, all cores each; all three begin with the recipe. Fresh pictures are a holdout that nobody trains or chooses on.
What could be packed at a moment is what an export of the folds that were finished then would choose. A row that is there is not
measured again. Run it on an idle machine.
"""

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.knowledge.left_out import portfolio_without
from benchmarks.plain_search import SPACE
from benchmarks.plain_training import FRESH
from benchmarks.recording import append_row, read_rows
from benchmarks.sets.pictures import write_set
from benchmarks.sets.prepared import PACKAGED
from studies.record.events import EpochScored
from studies.study import Study
from studies.study_folder import StudyFolder
from trainables.training.heads.task import Task
from voting.bundle.packing import in_place_spec
from voting.candidates.studies import StudyCandidates, read_candidates
from voting.candidates.tasks import task_candidates
from voting.candidates.trials import Candidate
from voting.ensemble.choice import choose, tasks_of
from voting.ensemble.fit import Wanted
from voting.predicting.runtime import folds_judge, load_member
from voting.rules.vote import Rule

ROOT = Path(__file__).resolve().parent.parent
Folds = dict[tuple[int, int], float]  # by trial and fold: when it was finished, in seconds since the command
Probabilities = npt.NDArray[np.floating]  # images x classes
COLUMNS = ("set", "seed", "first", "first_before", "first_plain", "as_good", "plain_seconds", "plain_fresh", "fresh")


def searched(folder: Path, root: Path, name: str, options: Sequence[str]) -> tuple[Folds, float]:
    """Search a set by the commands of a version; return when its folds were finished, and the seconds of all."""
    command = [sys.executable, str(root / "launch_search.py"), "--space", "classify.yaml", "--study", name]
    data = ["--data", str(folder / "labels.csv"), "--set", "data.person_column=group", "--no-page"]
    began = time.time()
    results = ["--results", str(folder / "results")]
    subprocess.run([*command, *data, *results, *options], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    took = time.time() - began
    study = Study.existing(StudyFolder(folder / "results" / name))
    last = int(study.space.recipe()["epochs"]) - 1
    scored = [event for event in study.events() if isinstance(event, EpochScored) and event.epoch == last]
    return {(event.trial, event.fold): event.time - began for event in scored}, took


def first_whole(finished: Folds, folds: int) -> float | None:
    """Return when the first trial had all its folds."""
    by_trial: dict[int, list[float]] = {}
    for (trial, _), at in finished.items():
        by_trial.setdefault(trial, []).append(at)
    return min((max(times) for times in by_trial.values() if len(times) == folds), default=None)


def plain(folder: Path, trials: int, seed: int) -> tuple[float | None, float, float | None]:
    """Search the same folds with plain Ray Tune; return when the first trial was through, the seconds of all, the fresh score."""
    study = Study.existing(StudyFolder(folder / "results/ours"))
    recipe = study.space.recipe()
    write_folds(folder, study.folder)
    shared = {"size": recipe["image_size"], "epochs": recipe["epochs"], "batch-size": recipe["batch_size"]}
    own = {"trials": trials, "seed": seed, "first": json.dumps({name: recipe[name] for name in SPACE})}
    options = [word for name, value in {**shared, **own}.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks.plain_search", str(folder / "folds.csv"), *options]
    began = time.time()
    printed = subprocess.run(
        [*command, "--results", str(folder / "plain")], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    took = time.time() - began
    told = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return (told[0]["time"] - began, took, told[-1]["fresh"]) if told else (None, took, None)


def write_folds(folder: Path, study: StudyFolder) -> None:
    """Write the table of the folds of a study, its holdout as fresh pictures."""
    with open(folder / "labels.csv", newline="", encoding="utf-8") as labels:
        label_of = {row["path"]: row["label"] for row in csv.DictReader(labels)}
    with open(folder / "folds.csv", "w", newline="", encoding="utf-8") as out:
        table = csv.writer(out)
        table.writerow(("path", "label", "fold"))
        for file in (study.samples, study.holdout):
            with open(file, newline="", encoding="utf-8") as rows:
                table.writerows(
                    (row["id"], label_of[row["id"]], row.get("fold", FRESH)) for row in csv.DictReader(rows)
                )


def packable(folder: StudyFolder, finished: Folds) -> Iterator[tuple[float, float]]:
    """Yield for every moment at which a fold was finished what could be packed then, scored on the fresh pictures."""
    whole = read_candidates(folder)
    fresh = fresh_predictions(whole)
    targets = whole.holdout["target"].to_numpy()
    for moment in sorted(finished.values()):
        by_then = {key for key, at in finished.items() if at <= moment}
        trials = tuple(one for trial in whole.trials if (one := _by_then(trial, by_then, whole)) is not None)
        if trials:
            vote = _vote(replace(whole, trials=trials), fresh)
            yield moment, trials[0].metric.score(targets, vote)


def _by_then(trial: Candidate, finished: set[tuple[int, int]], whole: StudyCandidates) -> Candidate | None:
    """Return a trial with the folds that were finished, None without any."""
    folds = {fold for fold in trial.folds if (trial.number, fold) in finished}
    ids = whole.samples["id"][whole.samples["fold"].isin(folds)]
    return trial.on(folds, ids) if folds else None


def _vote(study: StudyCandidates, fresh: Mapping[tuple[int, int], Probabilities]) -> Probabilities:
    """Return the decided vote of what an export of a study's candidates packs."""
    had = {trial.number: trial.folds for trial in study.trials}
    candidates, rule = task_candidates([study]), Rule()
    (chosen,) = choose(candidates, tasks_of(candidates, rule), Wanted(), rule)
    said = [
        np.mean([fresh[trial.number, fold] for fold in had[trial.number]], axis=0).astype(np.float32)
        for trial in chosen.members
    ]
    votes = rule(said, np.array(chosen.weights) if chosen.weights else None)
    return chosen.decision.decided(votes).astype(np.float32)


def fresh_predictions(study: StudyCandidates) -> dict[tuple[int, int], Probabilities]:
    """Return what every kept model of a study says about its holdout, by trial and fold."""
    paths = [Path(study.data["root"]) / name for name in study.holdout["id"]]
    task, found = Task(len(study.data["classes"]), None), dict[tuple[int, int], Probabilities]()
    for trial in study.trials:
        member = load_member(in_place_spec(trial), task, trial.study)
        (judged,) = folds_judge([member], paths)
        found |= {(trial.number, fold): one.probabilities for fold, one in zip(trial.folds, judged, strict=True)}
    return found


def compared(name: str, seed: int, before: Path, trials: int) -> dict[str, Any]:
    """Run all three on a set and return the row."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_set(PACKAGED[name][0](), folder)
        (folder / "others.yaml").write_text(portfolio_without(name).spelled(), encoding="utf-8")
        settings = ["--set", f"search.portfolio={folder / 'others.yaml'}", "--set", "data.holdout=0.3"]
        options = [*settings, "--trials", str(trials), "--seed", str(seed)]
        finished, seconds = searched(folder, ROOT, "ours", options)
        earlier, _ = searched(folder, before, "before", options)
        first_plain, plain_seconds, plain_fresh = plain(folder, trials, seed)
        moments = list(packable(StudyFolder(folder / "results/ours"), finished))
        folds = Study.existing(StudyFolder(folder / "results/ours")).space.search.folds
        enough = (at for at, score in moments if plain_fresh is not None and score >= plain_fresh)
        return {
            "set": name,
            "seed": seed,
            "first": first_whole(finished, folds),
            "first_before": first_whole(earlier, folds),
            "first_plain": first_plain,
            "as_good": next(enough, None),
            "plain_seconds": plain_seconds,
            "plain_fresh": plain_fresh,
            "fresh": moments[-1][1],
            "seconds": seconds,
            "moments": moments,
        }


def main() -> None:
    """Measure what has no row, write it, print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["digits", "animals", "mnist"], choices=list(PACKAGED))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--before", type=Path, required=True, help="a worktree of the version to compare with")
    parser.add_argument("--rows", type=Path, required=True)
    arguments = parser.parse_args()
    done = {(row["set"], row["seed"]) for row in read_rows(arguments.rows)}
    for seed in arguments.seeds:
        for name in arguments.sets:
            if (name, seed) not in done:
                append_row(arguments.rows, compared(name, seed, arguments.before.resolve(), arguments.trials))
    table = Table(*COLUMNS, "first / before", "as good / plain")
    for row in read_rows(arguments.rows):
        ratios = (row["first"] / row["first_before"], (row["as_good"] or float("nan")) / row["plain_seconds"])
        cells = [row[column] for column in COLUMNS]
        table.add_row(*(f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in (*cells, *ratios)))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
