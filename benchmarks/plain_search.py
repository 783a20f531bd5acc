"""A search as Ray's documentation writes it, the peer of our own: OptunaSearch, ASHAScheduler, all folds inside a trial.

    python -m benchmarks.plain_search folds.csv --trials 16 --size 64 --epochs 13 --results plain

The table has the columns path, label and fold; paths are relative to it. Images are read with Pillow and changed by torchvision,
as an ImageFolder would; model, weights, folds and metric are ours. Whenever a trial of all folds is the best so far, a line of
JSON says so. Searched are five of the eight knobs of classify.yaml, in its ranges; a trial trains one fold after the other.
"""

import argparse
import csv
import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

METRIC = "macro_f1"
SPACE = {
    "learning_rate": tune.loguniform(5e-4, 8e-3),
    "weight_decay": tune.loguniform(1e-4, 2e-1),
    "drop_rate": tune.uniform(0.0, 0.5),
    "label_smoothing": tune.uniform(0.0, 0.15),
    "augmentation": tune.choice(["none", "light", "medium"]),
}
MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Labelled:
    """A picture's file, its class and its fold."""

    file: Path
    target: int
    fold: int


def read_rows(table: Path) -> tuple[list[Labelled], int]:
    """Return the pictures of a table, and the number of classes."""
    with open(table, newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    classes = sorted({row["label"] for row in rows})
    labelled = [Labelled(table.parent / row["path"], classes.index(row["label"]), int(row["fold"])) for row in rows]
    return labelled, len(classes)


def train(config: dict[str, Any]) -> None:
    """Train every fold in turn and report the mean macro F1 of the folds so far after every epoch."""
    import torch

    torch.set_num_threads(1)
    rows, classes = read_rows(Path(config["table"]))
    finished: list[float] = []
    for fold in sorted({row.fold for row in rows}):
        score = 0.0
        for score in fold_scores(config, rows, fold, classes):
            tune.report({METRIC: (sum(finished) + score) / (len(finished) + 1)})
        finished.append(score)


def fold_scores(config: dict[str, Any], rows: Sequence[Labelled], fold: int, classes: int) -> Any:
    """Yield the score on a fold after every epoch on the others."""
    import torch
    from timm.scheduler import CosineLRScheduler
    from torch.utils.data import DataLoader

    from trainables.config import TrainConfig
    from trainables.training.models import make_model

    trained = pictures([row for row in rows if row.fold != fold], config["size"], config["augmentation"])
    judged = pictures([row for row in rows if row.fold == fold], config["size"], "none")
    loader = DataLoader(trained, config["batch_size"], shuffle=True, drop_last=True)
    model = make_model(TrainConfig(drop_rate=config["drop_rate"], image_size=config["size"]), classes)
    optimizer = torch.optim.AdamW(model.parameters(), config["learning_rate"], weight_decay=config["weight_decay"])
    schedule = CosineLRScheduler(optimizer, config["epochs"])
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=config["label_smoothing"])
    for epoch in range(config["epochs"]):
        model.train()
        for pixels, targets in loader:
            optimizer.zero_grad()
            criterion(model(pixels), targets).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
        schedule.step(epoch + 1)
        yield score_of(model, DataLoader(judged, 64))


def score_of(model: Any, loader: Any) -> float:
    """Return a model's macro F1."""
    import torch
    from sklearn.metrics import f1_score

    model.eval()
    with torch.inference_mode():
        said = [(model(pixels).argmax(1), targets) for pixels, targets in loader]
    votes, truth = (torch.cat(list(part)).numpy() for part in zip(*said, strict=True))
    return float(f1_score(truth, votes, average="macro"))


def pictures(rows: Sequence[Labelled], size: int, strength: str) -> Any:
    """Return a torch data set that reads its images anew every time."""
    import torch
    from PIL import Image
    from torch.utils.data import Dataset
    from torchvision import transforms

    changes = {
        "none": [],
        "light": [transforms.RandomAffine(5, (0.05, 0.05), (0.95, 1.05))],
        "medium": [transforms.RandomAffine(15, (0.1, 0.1), (0.9, 1.1)), transforms.ColorJitter(0.2, 0.2, 0.2)],
    }[strength]
    resized, normalised = transforms.Resize((size, size)), transforms.Normalize(MEANS, DEVIATIONS)
    change = transforms.Compose([resized, *changes, transforms.ToTensor(), normalised])

    class Pictures(Dataset[tuple[torch.Tensor, int]]):
        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
            return change(Image.open(rows[place].file).convert("RGB")), rows[place].target

    return Pictures()


class Best(tune.Callback):
    """Prints a line whenever a trial that has trained all folds is the best so far."""

    def __init__(self, whole: int) -> None:
        self._whole, self._best = whole, float("-inf")

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Compare a result with the best."""
        if result["training_iteration"] >= self._whole and result[METRIC] > self._best:
            self._best = result[METRIC]
            print(json.dumps({"time": time.time(), METRIC: self._best}), flush=True)


def main() -> None:
    """Search."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=13)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--grace-period", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--results", type=Path, required=True)
    arguments = parser.parse_args()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    folds = len({row.fold for row in read_rows(arguments.table)[0]})
    whole = folds * arguments.epochs
    fixed = {
        **{"table": str(arguments.table.absolute()), "size": arguments.size},
        **{"epochs": arguments.epochs, "batch_size": arguments.batch_size},
    }
    ray.init(num_cpus=os.cpu_count(), log_to_driver=False, logging_level="ERROR")
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={**SPACE, **fixed},
        tune_config=tune.TuneConfig(
            metric=METRIC,
            mode="max",
            num_samples=arguments.trials,
            search_alg=OptunaSearch(seed=arguments.seed),
            scheduler=ASHAScheduler(max_t=whole, grace_period=arguments.grace_period),
        ),
        run_config=tune.RunConfig(storage_path=str(arguments.results.absolute()), verbose=0, callbacks=[Best(whole)]),
    )
    tuner.fit()


if __name__ == "__main__":
    main()
