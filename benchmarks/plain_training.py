"""A trial of plain Ray Tune: images read by Pillow and changed by torchvision, a loop in PyTorch over every fold in turn."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from ray import tune
from sklearn.metrics import f1_score
from timm.scheduler import CosineLRScheduler
from timm.utils import ModelEmaV3
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from trainables.config import TrainConfig
from trainables.training.models import make_model

METRIC = "macro_f1"
FRESH = -1  # stands for a fold in the rows of pictures that nothing is trained or chosen on
MEANS, DEVIATIONS = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
EMA_DECAY, SWA_EPOCHS = 0.99, 2
CHANGES = {
    "none": [],
    "light": [transforms.RandomAffine(5, (0.05, 0.05), (0.95, 1.05))],
    "medium": [transforms.RandomAffine(15, (0.1, 0.1), (0.9, 1.1)), transforms.ColorJitter(0.2, 0.2, 0.2)],
}


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


class Pictures(Dataset[tuple[torch.Tensor, int]]):
    """Reads its images anew every time."""

    def __init__(self, rows: Sequence[Labelled], size: int, strength: str) -> None:
        self._rows = rows
        steps = [transforms.Resize((size, size)), *CHANGES[strength], transforms.ToTensor()]
        self._change = transforms.Compose([*steps, transforms.Normalize(MEANS, DEVIATIONS)])

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        row = self._rows[place]
        return self._change(Image.open(row.file).convert("RGB")), row.target


def train(config: dict[str, Any]) -> None:
    """Train every fold in turn and report the mean macro F1 of the folds so far after every epoch.

    Where the table has fresh pictures, `fresh` is what the folds' models score on them together at the end.
    """
    torch.set_num_threads(1)
    rows, classes = read_rows(Path(config["table"]))
    fresh = DataLoader(Pictures([row for row in rows if row.fold == FRESH], config["size"], "none"), 64)
    folds = sorted({row.fold for row in rows} - {FRESH})
    finished, models = list[float](), list[torch.nn.Module]()
    for fold in folds:
        score, epoch = 0.0, 0
        for epoch, (score, model) in enumerate(fold_scores(config, rows, fold, classes), 1):
            if epoch == config["epochs"]:
                models.append(model)
            ends = len(models) == len(folds) and len(fresh.dataset) > 0  # type: ignore[arg-type]
            told = {"fresh": score_of(models, fresh)} if ends else {}
            tune.report({METRIC: (sum(finished) + score) / (len(finished) + 1), **told})
        finished.append(score)


def fold_scores(
    config: dict[str, Any], rows: Sequence[Labelled], fold: int, classes: int
) -> Iterator[tuple[float, torch.nn.Module]]:
    """Yield the score on a fold, and the model, after every epoch on the others."""
    trained = Pictures([row for row in rows if row.fold not in (fold, FRESH)], config["size"], config["augmentation"])
    judged = Pictures([row for row in rows if row.fold == fold], config["size"], "none")
    loader = DataLoader(trained, config["batch_size"], shuffle=True, drop_last=True)
    drawn = {name: config[name] for name in ("drop_rate", "global_pool")}
    model = make_model(TrainConfig(image_size=config["size"], **drawn), classes)
    optimizer = torch.optim.AdamW(model.parameters(), config["learning_rate"], weight_decay=config["weight_decay"])
    warm = round(config["warmup_epochs"] * len(loader))
    schedule = CosineLRScheduler(optimizer, config["epochs"] * len(loader), warmup_t=warm, t_in_epochs=False)
    criterion = torch.nn.CrossEntropyLoss(label_smoothing=config["label_smoothing"])
    moving = ModelEmaV3(model, EMA_DECAY) if config["kept_weights"] == "ema" else None
    averaged, done = AveragedModel(model, use_buffers=True) if config["kept_weights"] == "swa" else None, 0
    for epoch in range(config["epochs"]):
        model.train()
        for pixels, targets in loader:
            schedule.step_update(done := done + 1)
            optimizer.zero_grad()
            criterion(model(pixels), targets).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            if moving:
                moving.update(model)
        if averaged and epoch >= config["epochs"] - SWA_EPOCHS:
            averaged.update_parameters(model)
        late = averaged if averaged and epoch >= config["epochs"] - SWA_EPOCHS else model
        kept = moving.module if moving else late
        yield score_of([kept], DataLoader(judged, 64)), kept


def score_of(models: Sequence[torch.nn.Module], loader: DataLoader[tuple[torch.Tensor, int]]) -> float:
    """Return the macro F1 of the mean of models' probabilities."""
    for model in models:
        model.eval()
    with torch.inference_mode():
        said = [
            (torch.stack([model(pixels).softmax(1) for model in models]).mean(0).argmax(1), targets)
            for pixels, targets in loader
        ]
    votes, truth = (torch.cat(list(part)).numpy() for part in zip(*said, strict=True))
    return float(f1_score(truth, votes, average="macro"))
