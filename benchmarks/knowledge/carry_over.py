"""Whether what ranks configurations on the smallest net ranks them on larger ones, too.

    python -m benchmarks.knowledge.carry_over --sets animals surfaces --rows benchmarks/rows/carry_over.jsonl --workers 2

Some configurations of the list are trained again with larger backbones, on the first folds of a set. Spearman's correlation with
the smallest net's scores of the same folds says what carries over; that of the smallest net's other folds with these is the
most that could be expected. A row that is there is not trained again.
"""

import argparse
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from benchmarks.knowledge.configurations import configurations
from benchmarks.knowledge.recorded_set import RecordedSet, recorded_sets
from benchmarks.recording import append_row, read_rows, recorded

BACKBONES = ("tf_efficientnet_lite1", "tf_efficientnet_lite2")
CONFIGURATIONS = (  # one of every knob that is searched, at both ends where it has ends
    *("recipe", "rate 1e-3", "rate 8e-3", "medium augmentation", "no augmentation", "nadamw", "sgd, rate 3e-2"),
    *(
        "half frozen",
        "cut-mix but for 2 epochs",
        "maximum pooled, no smoothing, dropout 0.4",
        "layer decay 0.9, rate 5e-3",
    ),
    *("moving average, rate 4e-3", "mean of 3 epochs, rate 3e-3", "weight decay 0.1, rate 3e-3"),
)
FOLDS = 2
Run = tuple[str, str, str, int]  # set, backbone, configuration, fold


def trained(run: Run) -> tuple[float, float]:
    """Return the last score of a run, and its seconds."""
    name, backbone, config, fold = run
    recording = recorded(name, {**configurations()[config], "backbone": backbone}, fold)
    return recording.scores[-1], recording.seconds


def missing(sets: Sequence[str], rows: Path) -> Iterator[Run]:
    """Yield what has no row, one configuration after the other."""
    done = {(row["set"], row["backbone"], row["config"], row["fold"]) for row in read_rows(rows)}
    every = product(CONFIGURATIONS, range(FOLDS), sets, BACKBONES)
    yield from (
        (name, backbone, config, fold)
        for config, fold, name, backbone in every
        if (name, backbone, config, fold) not in done
    )


def shown(rows: Path, known: Sequence[RecordedSet]) -> Table:
    """Return by set and backbone how its ranking agrees with that of the smallest net."""
    table = Table(
        "set", "backbone", "configurations", "agreement", "of the smallest net's own folds", "the recipe's place"
    )
    by = {(row["set"], row["backbone"], row["config"], row["fold"]): row["score"] for row in read_rows(rows)}
    for recorded_set, backbone in product(known, BACKBONES):
        names = [
            config
            for config in CONFIGURATIONS
            if config in recorded_set.configurations
            and all((recorded_set.name, backbone, config, fold) in by for fold in range(FOLDS))
        ]
        if len(names) < len(CONFIGURATIONS) // 2:
            continue
        larger = [np.mean([by[recorded_set.name, backbone, name, fold] for fold in range(FOLDS)]) for name in names]
        places = [recorded_set.configurations.index(name) for name in names]
        smallest = recorded_set.table.scores[places, :, -1]
        agreement = spearmanr(larger, smallest[:, :FOLDS].mean(axis=1))[0]
        own = spearmanr(smallest[:, FOLDS:].mean(axis=1), smallest[:, :FOLDS].mean(axis=1))[0]
        place = 1 + sum(score > larger[0] for score in larger)
        cells = (f"{len(names)}", f"{agreement:.2f}", f"{own:.2f}", f"{place} of {len(names)}")
        table.add_row(recorded_set.name, backbone, *cells)
    return table


def main() -> None:
    """Train what is missing and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=["animals", "surfaces"])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=Path, required=True)
    arguments = parser.parse_args()
    runs, spawn = list(missing(arguments.sets, arguments.rows)), get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, spawn, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for (name, backbone, config, fold), (score, seconds) in zip(runs, pool.map(trained, runs), strict=True):
            run = {"set": name, "backbone": backbone, "config": config, "fold": fold}
            append_row(arguments.rows, {**run, "score": score, "sec": seconds})
    known = [one for one in recorded_sets() if one.name in arguments.sets]
    Console(width=140).print(shown(arguments.rows, known))


if __name__ == "__main__":
    main()
