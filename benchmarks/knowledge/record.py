"""Train the list of configurations on small sets, every one on four folds, and keep what is needed to choose among them later.

    python -m benchmarks.knowledge.record --sets emoji mnist --workers 2

Appends a row a fold to benchmarks/rows/sets/SET.jsonl and skips those that are there: it can be stopped and started again. A row
has the curve, the seconds, and what the fold's model voted on the fold left out and on fresh pictures, one character an image;
SET.truth.json has what they are. Probabilities go in half precision below --probabilities: too large for git, they are made
anew by this command where the row is taken out.
"""

import argparse
import json
import string
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from benchmarks.knowledge.configurations import configurations
from benchmarks.recording import Recording, append_row, data_of, fresh_of, read_rows, recorded
from storage.atomic import write_text
from storage.rebuilt_folder import cache_root
from studies.metrics import Probabilities

ROWS = Path(__file__).parents[1] / "rows/sets"
SETS = (
    *("age", "gender", "mask", "orl_identity", "small_digits"),
    *("mnist", "animals", "emoji", "surfaces", "faces_or_not"),
)
FOLDS = 4  # of the five that a set is split into
CHARACTERS = string.digits + string.ascii_letters
Run = tuple[str, str, int]  # set, configuration, fold


def main() -> None:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--configurations", nargs="+", metavar="NAME", help="some of the list; default: all")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--probabilities", type=Path, default=cache_root() / "recorded")
    arguments = parser.parse_args()
    ROWS.mkdir(parents=True, exist_ok=True)
    for name in arguments.sets:
        write_truth(name)
    runs = list(missing(arguments.sets, arguments.configurations or list(configurations())))
    Console().print(f"{len(runs)} folds to train")
    spawn = get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, spawn, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for run, recording in zip(runs, pool.map(trained, runs), strict=True):
            keep(run, recording, arguments.probabilities)


def missing(sets: Sequence[str], names: Sequence[str]) -> Iterator[Run]:
    """Yield the runs that have no row yet, one configuration after the other: each counts as soon as it is whole."""
    done = {(name, row["config"], row["fold"]) for name in sets for row in read_rows(ROWS / f"{name}.jsonl")}
    every = product(names, range(FOLDS), sets)
    yield from ((name, config, fold) for config, fold, name in every if (name, config, fold) not in done)


def trained(run: Run) -> Recording:
    """Train one configuration on one fold of a set."""
    name, config, fold = run
    return recorded(name, configurations()[config], fold)


def keep(run: Run, recording: Recording, folder: Path) -> None:
    """Write a row, and the probabilities before it."""
    name, config, fold = run
    if recording.left_out is not None and recording.fresh is not None:
        file = folder / name / f"{config}, fold {fold}.npz"
        file.parent.mkdir(parents=True, exist_ok=True)
        np.savez(file, left_out=recording.left_out.astype(np.float16), fresh=recording.fresh.astype(np.float16))
    row: dict[str, Any] = {"config": config, "fold": fold, "curve": recording.scores, "sec": recording.seconds}
    votes = {"left_out": spelled(recording.left_out), "fresh": spelled(recording.fresh)}
    append_row(ROWS / f"{name}.jsonl", {**row, "votes": votes, **configurations()[config]})


def spelled(probabilities: Probabilities | None) -> str:
    """Return the classes voted for, one character an image; nothing where there are no probabilities."""
    return "" if probabilities is None else characters(probabilities.argmax(axis=1))


def characters(classes: Iterable[int]) -> str:
    """Return classes as one character each."""
    return "".join(CHARACTERS[one] for one in classes)


def write_truth(name: str) -> None:
    """Write the classes and persons of a set's images, as the votes are spelled."""
    data, fresh = data_of(name), fresh_of(name)
    truth = {
        "classes": data.classes,
        "left_out": [characters(data.targets[data.validation(fold)]) for fold in range(FOLDS)],
        "persons": [data.persons[data.validation(fold)].tolist() for fold in range(FOLDS)],
        "fresh": characters(fresh.targets),
        "fresh_persons": fresh.persons.tolist(),
    }
    write_text(ROWS / f"{name}.truth.json", json.dumps(truth))


if __name__ == "__main__":
    main()
