"""What every knob does alone: the recipe with one knob changed, paired with the recipe on the same set, fold and seed.

    python -m benchmarks.ablation --rows ablation.jsonl                       # one fold, two seeds
    python -m benchmarks.ablation --rows ablation.jsonl --survivors --seeds 3 --folds 5
    python -m benchmarks.ablation --rows ablation.jsonl --table

Appends one JSON object a run (set, configuration, fold, seed, score after every epoch, seconds) and skips those that are there:
it can be stopped and started again. `--survivors` takes what was better than the recipe on average so far.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch
from rich.console import Console

from benchmarks.reporting import Row, report
from benchmarks.sets.prepared import SIDE, fold_data
from studies.metrics import METRICS
from trainables.config import TrainConfig
from trainables.training.classifier import Judged
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner, NotFinite
from trainables.training.heads.tuning import cross_fitted_probabilities, tunes_thresholds
from trainables.training.images.fold_data import FoldData

SETS = ("faces_age", "orl_identity", "digits")
RECIPE: dict[str, Any] = {"image_size": SIDE, "epochs": 6, "batch_size": 16, "learning_rate": 1e-3}
_CUTMIX, _MIXUP = {"cutmix_probability": 0.5}, {"mixup_probability": 0.5}
VARIANTS: dict[str, dict[str, Any]] = {
    "recipe": {},
    "learning_rate 3e-4": {"learning_rate": 3e-4},
    "learning_rate 3e-3": {"learning_rate": 3e-3},
    "learning_rate 1e-2": {"learning_rate": 1e-2},
    "batch_size 8": {"batch_size": 8},
    "batch_size 32": {"batch_size": 32},
    "weights none": {"weights": "none"},
    "adam": {"optimizer": "adam"},
    "radam": {"optimizer": "radam"},
    "sgd, 3e-2": {"optimizer": "sgd", "learning_rate": 3e-2},
    "lamb, 5e-3": {"optimizer": "lamb", "learning_rate": 5e-3},
    "lion, 2e-4": {"optimizer": "lion", "learning_rate": 2e-4},
    "adamw, beta2 0.95": {"optimizer_options": {"betas": [0.9, 0.95]}},
    "weight_decay 0.1": {"weight_decay": 0.1},
    "weight_decay 0": {"weight_decay": 0.0},
    "one_cycle": {"schedule": "one_cycle"},
    "step schedule": {"schedule": "step"},
    "constant schedule": {"schedule": "constant"},
    "no warm-up": {"warmup_epochs": 0.0},
    "warm-up of 2 epochs": {"warmup_epochs": 2.0},
    "clip_gradient 1": {"clip_gradient": 1.0},
    "accumulation 2": {"accumulation": 2},
    "layer_decay 0.9": {"layer_decay": 0.9},
    "layer_decay 0.75": {"layer_decay": 0.75},
    "frozen half, 1 epoch": {"frozen_share": 0.5},
    "frozen half": {"frozen_share": 0.5, "frozen_epochs": 6},
    "frozen all, 1 epoch": {"frozen_share": 1.0},
    "ema 0.9": {"kept_weights": "ema", "ema_decay": 0.9},
    "ema 0.97": {"kept_weights": "ema", "ema_decay": 0.97},
    "swa of 3 epochs": {"kept_weights": "swa", "swa_epochs": 3},
    "best epoch (biased)": {"kept_weights": "best"},
    "focal": {"loss": "focal"},
    "soft macro F1": {"loss": "soft_macro_f1"},
    "mixture with macro F1": {"loss": "mixture", "mixture_focal": 0.0, "mixture_macro_f1": 0.5},
    "no smoothing": {"label_smoothing": 0.0},
    "smoothing 0.2": {"label_smoothing": 0.2},
    "balanced classes": {"class_weights": "balanced"},
    "effective classes": {"class_weights": "effective"},
    "cut-mix, box, half": _CUTMIX,
    "cut-mix, box, beta": {**_CUTMIX, "cutmix_lambda": "beta"},
    "cut-mix, side, band": {**_CUTMIX, "cutmix_shape": "vertical_half", "cutmix_lambda": "uniform"},
    "cut-mix, 2 epochs without": {**_CUTMIX, "unmixed_epochs": 2},
    "mix-up": _MIXUP,
    "class-weighted sampling": {"sampling": "class_weighted"},
    "person-balanced sampling": {"sampling": "person_balanced"},
    "no augmentation": {"augmentation": "none"},
    "light augmentation": {"augmentation": "light"},
    "strong augmentation": {"augmentation": "strong"},
    "flips at test time": {"test_flip": True},
    "no dropout": {"drop_rate": 0.0},
    "dropout 0.4": {"drop_rate": 0.4},
    "drop path 0.1": {"drop_path_rate": 0.1},
    "maximum pooled": {"global_pool": "max"},
    "hidden layer of 256": {"head_hidden": 256},
    "regression": {"head": "regression"},
    "regression, sigma 0.25": {"head": "regression", "regression_sigma": 0.25},
    "regression, borders": {"head": "regression", "thresholds": "borders"},
    "regression, tuned thresholds": {"head": "regression", "thresholds": "tuned"},
    "regression, l1, tuned": {"head": "regression", "thresholds": "tuned", "regression_loss": "l1"},
    "ordinal": {"head": "ordinal"},
    "label distribution": {"head": "label_distribution"},
}


@dataclass(frozen=True)
class Run:
    """One training of one configuration on one fold of one set."""

    set: str
    variant: str
    fold: int
    seed: int

    def key(self) -> tuple[str, str, int, int]:
        return self.set, self.variant, self.fold, self.seed


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True, help="the runs so far; new ones are appended")
    parser.add_argument("--sets", nargs="+", default=list(SETS))
    parser.add_argument("--variants", nargs="+", default=list(VARIANTS))
    parser.add_argument("--folds", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--survivors", action="store_true", help="only what was better than the recipe so far")
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = read_rows(arguments.rows)
    wanted = survivors(rows) if arguments.survivors else arguments.variants
    runs = wanted_runs(arguments.sets, wanted, arguments.folds, arguments.seeds)
    done = {(row["set"], row["variant"], row["fold"], row["seed"]) for row in rows}
    for run in [] if arguments.table else [run for run in runs if run.key() not in done]:
        row = trained(run)
        with open(arguments.rows, "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
    report(
        "One knob against the recipe, macro F1 of a fold, difference with its 95 % interval",
        table(read_rows(arguments.rows)),
        arguments.json,
    )


def wanted_runs(sets: Sequence[str], variants: Sequence[str], folds: int, seeds: int) -> Iterator[Run]:
    """Yield all runs, so that every variant has a pair early."""
    for seed in range(seeds):
        for fold in range(folds):
            for name in sets:
                for variant in dict.fromkeys(("recipe", *variants)):
                    if VARIANTS[variant].get("head", "classification") == "classification" or name == "faces_age":
                        yield Run(name, variant, fold, seed)


@cache
def data_of(name: str) -> FoldData:
    """Return a set, prepared once."""
    return fold_data(name)


def trained(run: Run) -> Row:
    """Return the score after every epoch, and the seconds; a configuration that does not train scores 0."""
    config = TrainConfig(**{**RECIPE, **VARIANTS[run.variant], "seed": run.seed})
    data, started, scores = data_of(run.set), time.perf_counter(), []
    learner = FoldLearner(config, data, 0, run.fold, place(config, Resources()))
    score = partial(score_of, config, data, run.fold)
    try:
        for epoch in range(config.epochs):
            learner.train_epoch(epoch)
            scores.append(round(score(learner.judge_epoch(score)), 5))
    except NotFinite:
        scores.append(0.0)
    seconds = round(time.perf_counter() - started, 2)
    return {**vars(run), "scores": scores, "seconds": seconds, "configuration": {**RECIPE, **VARIANTS[run.variant]}}


def score_of(config: TrainConfig, data: FoldData, fold: int, judged: Judged) -> float:
    """Return the score of a fold as a trial's is: where thresholds are tuned, under those of other persons."""
    held_out, metric, probabilities = data.validation(fold), METRICS["macro_f1"], judged.probabilities
    if judged.numbers is not None and tunes_thresholds(config):
        probabilities = cross_fitted_probabilities(config, data, held_out, judged.numbers, metric)
    return metric.score(data.targets[held_out], probabilities)


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Return the runs of a file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def differences(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[float]]]:
    """Return by variant and set the last scores less the recipe's on the same fold and seed."""
    last = {(row["set"], row["variant"], row["fold"], row["seed"]): row["scores"][-1] for row in rows}
    found: dict[str, dict[str, list[float]]] = {}
    for (name, variant, fold, seed), score in last.items():
        if variant != "recipe" and (name, "recipe", fold, seed) in last:
            of_variant = found.setdefault(variant, {}).setdefault(name, [])
            of_variant.append(score - last[name, "recipe", fold, seed])
    return found


def survivors(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the variants that were better than the recipe on average over the sets."""
    return [
        variant
        for variant, sets in differences(rows).items()
        if fmean(fmean(one) for one in sets.values()) > 0 and variant in VARIANTS
    ]


def table(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return a row a variant: the mean difference on every set and over all of them, best first."""
    shown = []
    for variant, sets in differences(rows).items():
        every = [difference for one in sets.values() for difference in one]
        row: Row = {"variant": variant, "all": fmean(every), "plus_or_minus": half_width(every), "pairs": len(every)}
        shown.append({**row, **{name: fmean(one) for name, one in sets.items()}})
    return sorted(shown, key=lambda row: -row["all"])


def half_width(values: Sequence[float]) -> float | None:
    """Return half the width of a normal 95 % interval of the mean, None of fewer than two."""
    return 1.96 * stdev(values) / sqrt(len(values)) if len(values) > 1 else None


if __name__ == "__main__":
    Console().print(f"{len(VARIANTS)} variants")
    main()
