"""What smaller settings of the embedded example cost: whether they rank configurations as the larger setting does.

    python -m benchmarks.example_settings --rows benchmarks/rows/example_settings.jsonl --workers 2

Every configuration is trained on every fold of `age.yaml`'s data under each setting, one thread each. Printed are the pictures
and seconds of a fold, the rank correlation of the settings' scores with the larger setting's, and how much the configuration that
a setting would choose scores below the best there. Appends a row a fold and skips those that are there.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from benchmarks.knowledge.configurations import configurations
from benchmarks.recording import append_row, read_rows, score_of
from benchmarks.sets.prepared import of_rows
from datasets.preparation import prepare
from datasets.sources.opening import data_options
from trainables.config import configured
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import FoldData


class Setting(NamedTuple):
    """How a configuration is judged."""

    image_size: int
    folds: int
    epochs: int


LARGER = "64 px, 5 folds, 5 epochs"
SETTINGS = {
    LARGER: Setting(64, 5, 5),
    "64 px, 3 folds, 6 epochs": Setting(64, 3, 6),
    "48 px, 3 folds, 6 epochs": Setting(48, 3, 6),
    "48 px, 3 folds, 4 epochs": Setting(48, 3, 4),
}
CONFIGURATIONS = (
    *("recipe", "rate 8e-3", "medium augmentation", "sgd, rate 3e-2", "half frozen", "moving average, rate 4e-3"),
    *("random 2", "random 9"),
)
DATA = {"source": "sample_faces", "people": 240, "holdout": 0.5}
Run = tuple[str, str, int]  # setting, configuration, fold


@cache
def data_of(image_size: int, folds: int) -> FoldData:
    """Return what the trials of a setting see."""
    data = prepare(data_options().validate_python(DATA), "age", folds, image_size)
    return of_rows(data, data.samples())


def trained(run: Run) -> dict[str, Any]:
    """Return a fold's last score and its seconds, less those of making the model."""
    setting, name, fold = SETTINGS[run[0]], run[1], run[2]
    values = {**configurations()[name], "image_size": setting.image_size, "epochs": setting.epochs, "batch_size": 16}
    config, data = configured(values), data_of(setting.image_size, setting.folds)
    learner = FoldLearner(config, data, 0, fold, place(config, Resources()))
    speeds = list[float]()
    for epoch in range(config.epochs):
        speeds.append(learner.train_epoch(epoch).images_per_second)
    said = learner.judge_epoch(lambda one: score_of(config, data, fold, one))
    pictures = len(data.training(fold)) * setting.epochs
    facts = {"setting": run[0], "config": name, "fold": fold, "pictures": pictures}
    return {
        **facts,
        "score": round(score_of(config, data, fold, said), 5),
        "seconds": round(pictures / fmean(speeds), 2),
    }


def missing(rows: Sequence[Mapping[str, Any]]) -> Iterator[Run]:
    """Yield the runs that have no row yet, one configuration after the other."""
    done = {(row["setting"], row["config"], row["fold"]) for row in rows}
    for name, setting in product(CONFIGURATIONS, SETTINGS):
        runs = ((setting, name, fold) for fold in range(SETTINGS[setting].folds))
        yield from (run for run in runs if run not in done)


def shown(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return what each setting costs and how far it agrees with the larger one."""
    scores = {setting: _scores(rows, setting) for setting in SETTINGS}
    whole = [name for name in CONFIGURATIONS if all(name in of_setting for of_setting in scores.values())]
    larger = [scores[LARGER][name] for name in whole]
    table = Table("setting", "pictures a fold", "seconds a fold", "rank correlation", "choice scores below the best by")
    for setting, of_setting in scores.items():
        own = [row for row in rows if row["setting"] == setting]
        chosen = max(whole, key=lambda name: of_setting[name])  # asked at once
        cost, seconds = (fmean(row[column] for row in own) for column in ("pictures", "seconds"))
        agreement = spearmanr(larger, [of_setting[name] for name in whole])[0]
        below = max(larger) - scores[LARGER][chosen]
        table.add_row(setting, f"{cost:.0f}", f"{seconds:.1f}", f"{agreement:.2f}", f"{below:.3f}")
    return table


def _scores(rows: Sequence[Mapping[str, Any]], setting: str) -> dict[str, float]:
    """Return the mean over folds of the configurations that have all of them."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["setting"] == setting:
            found.setdefault(row["config"], []).append(row["score"])
    return {name: fmean(folds) for name, folds in found.items() if len(folds) == SETTINGS[setting].folds}


def main() -> None:
    """Train what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    for setting in SETTINGS.values():
        data_of(setting.image_size, setting.folds)
    spawn = get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, spawn, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for row in pool.map(trained, list(missing(read_rows(arguments.rows)))):
            append_row(arguments.rows, row)
    Console(width=120).print(shown(read_rows(arguments.rows)))


if __name__ == "__main__":
    main()
