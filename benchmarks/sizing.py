"""How many steps a small set needs: the shipped recipe at two batch sizes and several numbers of steps, on 200 to 3,000 pictures.

    python -m benchmarks.sizing --rows sizing.jsonl

What `epochs: auto` and `batch_size: auto` stand on (`launch/fit/sizes.py`). Appends a JSON object a run and skips what is there.
"""

import argparse
import time
from dataclasses import replace
from functools import partial
from math import ceil
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch

from benchmarks.recording import append_row, read_rows
from benchmarks.reporting import Row, report
from benchmarks.sets.prepared import SIDE, fold_data
from studies.metrics import METRICS
from trainables.config import TrainConfig
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import FoldData

SETS = ("faces_age_large", "faces_mask_large", "digits")
PICTURES = (200, 500, 1200, 3000)
STEPS = {16: (100, 200, 400), 32: (100, 200)}  # by batch size
RECIPE = {"image_size": SIDE, "learning_rate": 2e-3, "augmentation": "light"}  # of the shipped spaces


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = read_rows(arguments.rows)
    done = {(row["set"], row["pictures"], row["batch"], row["steps"], row["seed"]) for row in rows}
    for seed in range(arguments.seeds):
        for name in arguments.sets:
            whole = fold_data(name)
            for pictures in (count for count in PICTURES if count <= len(whole.ids) * 1.1):
                part = subset(whole, pictures)
                for batch, counts in STEPS.items():
                    for steps in counts:
                        if (name, pictures, batch, steps, seed) not in done:
                            row = {"set": name, "pictures": pictures, **trained(part, batch, steps, seed)}
                            append_row(arguments.rows, row)
    report("Macro F1 of a fold by steps, mean over sets", table(read_rows(arguments.rows)), arguments.json)


def subset(data: FoldData, pictures: int) -> FoldData:
    """Return the images of the first persons, about so many; folds stay as they are."""
    chosen = np.isin(
        data.persons, np.random.default_rng(0).permutation(np.unique(data.persons))[: _persons(data, pictures)]
    )
    return replace(
        data,
        ids=data.ids[chosen],
        folds=data.folds[chosen],
        targets=data.targets[chosen],
        persons=data.persons[chosen],
        rows=data.rows[chosen],
        numbers=None if data.numbers is None else data.numbers[chosen],
    )


def _persons(data: FoldData, pictures: int) -> int:
    return max(1, round(pictures * len(np.unique(data.persons)) / len(data.ids)))


def trained(data: FoldData, batch: int, steps: int, seed: int) -> Row:
    """Return the last score of the first two folds, and the epochs that so many steps are."""
    per_epoch = ceil(len(data.training(0)) / batch)
    epochs = max(1, round(steps / per_epoch))
    config = TrainConfig(**RECIPE, batch_size=batch, epochs=epochs, seed=seed)
    scores, started = [], time.perf_counter()
    for fold in range(2):
        learner = FoldLearner(config, data, 0, fold, place(config, Resources()))
        for epoch in range(epochs):
            learner.train_epoch(epoch)
        score = partial(METRICS["macro_f1"].score, data.targets[data.validation(fold)])
        scores.append(score(learner.judge_validation().probabilities))
    seconds = round(time.perf_counter() - started, 1)
    return {
        "batch": batch,
        "steps": steps,
        "epochs": epochs,
        "seed": seed,
        "score": round(fmean(scores), 4),
        "seconds": seconds,
    }


def table(rows: list[dict[str, Any]]) -> list[Row]:
    """Return a row for every number of pictures and batch size, with the mean score at every number of steps."""
    shown = []
    for pictures in PICTURES:
        for batch, counts in STEPS.items():
            of_pair = [row for row in rows if (row["pictures"], row["batch"]) == (pictures, batch)]
            scores = {f"{steps}_steps": [row["score"] for row in of_pair if row["steps"] == steps] for steps in counts}
            if of_pair:
                means = {name: fmean(one) for name, one in scores.items() if one}
                shown.append({"pictures": pictures, "batch": batch, **means})
    return shown


if __name__ == "__main__":
    main()
