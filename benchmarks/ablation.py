"""What every knob does alone: the recipe with one knob changed, paired with the recipe on the same set, fold and seed.

    python -m benchmarks.ablation --rows ablation.jsonl                       # one fold, two seeds
    python -m benchmarks.ablation --rows ablation.jsonl --survivors --seeds 3 --folds 5
    python -m benchmarks.ablation --rows ablation.jsonl --table

Appends one JSON object a run (set, configuration, fold, seed, score after every epoch, seconds) and skips those that are there:
it can be stopped and started again. `--survivors` takes what was better than the recipe by 0.02 or more on average so far.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import torch

from benchmarks.recording import append_row, read_rows, recorded
from benchmarks.reporting import Row, report
from benchmarks.sets.prepared import SIDE

SURVIVES = 0.02
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
    "light, rate 2e-3": {"augmentation": "light", "learning_rate": 2e-3},
    "light, rate 3e-3": {"augmentation": "light", "learning_rate": 3e-3},
    "light, rate 3e-3, decay 0.1": {"augmentation": "light", "learning_rate": 3e-3, "weight_decay": 0.1},
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
    parser.add_argument("--survivors", action="store_true", help="only what was better than the recipe by 0.02 so far")
    parser.add_argument("--table", action="store_true", help="train nothing")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = read_rows(arguments.rows)
    wanted = survivors(rows) if arguments.survivors else arguments.variants
    runs = wanted_runs(arguments.sets, wanted, arguments.folds, arguments.seeds)
    done = {(row["set"], row["variant"], row["fold"], row["seed"]) for row in rows}
    for run in [] if arguments.table else [run for run in runs if run.key() not in done]:
        append_row(arguments.rows, trained(run))
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


def trained(run: Run) -> Row:
    """Return the score after every epoch, and the seconds."""
    configuration = {**RECIPE, **VARIANTS[run.variant]}
    recording = recorded(run.set, {**configuration, "seed": run.seed}, run.fold)
    return {**vars(run), "scores": recording.scores, "seconds": recording.seconds, "configuration": configuration}


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
    """Return the variants that were better than the recipe on average over the sets; not one whose own score is biased."""
    return [
        variant
        for variant, sets in differences(rows).items()
        if fmean(fmean(one) for one in sets.values()) >= SURVIVES and "biased" not in variant
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
    main()
