"""How much of the bare training step is left when a trial feeds it, against a plain loop over image files.

    python -m benchmarks.input_pipeline --json rows.json

Four sides, one round after the other on the same threads, the median of the rounds' ratios:
- bare: model, loss and optimizer on a batch that lies in memory as normalised tensors;
- ours: a trial's training epoch, from the memory-mapped cache through medium augmentation;
- plain: the loop as it is usually written. ImageFolder on 384 x 512 JPEG, albumentations (Resize by area, the same medium
  augmentation, Normalize, ToTensorV2), a DataLoader without workers; the model in the default layout, torch's AdamW;
- same_step: that loop with the bare side's step (channels_last, fused), so that only the input differs.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder

from benchmarks.reporting import Row, in_new_process, report
from datasets.decoded.cache import build_cache
from datasets.options import SampleFaces
from datasets.sources.opening import open_source
from datasets.transforms import make_transform
from trainables.config import TrainConfig
from trainables.training.devices import Placement, Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import FoldData
from trainables.training.models import make_model, normalisation

import albumentations as A  # noqa: N812, isort: skip  (the library's own convention)
from albumentations.pytorch import ToTensorV2  # isort: skip

Step = Callable[[Tensor, Tensor], None]
CLASSES = ("incorrect", "normal", "wear")


@dataclass(frozen=True)
class Setup:
    """What is compared: a configuration on so many threads, over some batches."""

    config: TrainConfig
    threads: int
    batches: int
    rounds: int

    @property
    def images(self) -> int:
        return self.config.batch_size * self.batches


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    drawn = open_source(SampleFaces(source="sample_faces", people=150, scale=1.0)).paths()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        files = laid_out(drawn, Path(folder) / "images")
        for size in arguments.sizes:
            config = TrainConfig(backbone=arguments.backbone, image_size=size, augmentation="medium")
            setup = Setup(config, arguments.threads, arguments.batches, arguments.rounds)
            rows.append(in_new_process(measured, setup, files, Path(folder)))
    report("Images per second in training", rows, arguments.json)


def laid_out(photographs: list[Path], root: Path) -> list[Path]:
    """Link photographs into a folder for each class, as ImageFolder wants them, and return their paths in its order."""
    for number, photograph in enumerate(photographs):
        target = root / next(name for name in CLASSES if photograph.name.startswith((name, "mask")) or name == "wear")
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{number}.jpg").symlink_to(photograph)
    return [Path(path) for path, _ in ImageFolder(root).samples]


def measured(setup: Setup, files: list[Path], folder: Path) -> Row:
    """Return one row: all sides in turn, round after round."""
    placement = place(setup.config, Resources(cpus=setup.threads))
    sides = {
        "bare": bare_side(setup, placement),
        "ours": our_side(setup, placement, files, folder),
        "plain": plain_side(setup, folder / "images", plain_step(setup.config)),
        "same_step": plain_side(setup, folder / "images", stepping(setup.config, placement)),
    }
    for side in sides.values():
        side()  # warm up
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(setup.rounds):
        for name, side in sides.items():
            started = time.perf_counter()
            images = side()
            taken[name].append((time.perf_counter() - started) / images)
    return row(setup, taken)


def row(setup: Setup, taken: dict[str, list[float]]) -> Row:
    """Return the figures of one image size: medians of what the rounds took, and of their ratios."""

    def ratio(of: str, by: str) -> float:
        return statistics.median(one / other for one, other in zip(taken[of], taken[by], strict=True))

    speed = {name: 1 / statistics.median(seconds) for name, seconds in taken.items()}
    return {
        "image_size": setup.config.image_size,
        "threads": setup.threads,
        "images_per_second": round(speed["ours"], 1),
        "share_of_bare_step": round(ratio("bare", "ours"), 3),
        "times_plain_loader": round(ratio("plain", "ours"), 2),
        "times_same_step": round(ratio("same_step", "ours"), 2),
        "bare_per_second": round(speed["bare"], 1),
        "plain_per_second": round(speed["plain"], 1),
    }


def bare_side(setup: Setup, placement: Placement) -> Callable[[], int]:
    """Return a function that trains on tensors in memory and returns the number of images."""
    step = stepping(setup.config, placement)
    size, batch = setup.config.image_size, setup.config.batch_size
    images = torch.randn(batch, 3, size, size).to(memory_format=torch.channels_last)
    classes = torch.arange(batch) % len(CLASSES)

    def side() -> int:
        for _ in range(setup.batches):
            step(images, classes)
        return setup.images

    return side


def our_side(setup: Setup, placement: Placement, files: list[Path], folder: Path) -> Callable[[], int]:
    """Return a function that trains an epoch as a trial does."""
    files = list(islice(cycle(files), setup.images + 2))
    cache = build_cache(files, setup.config.image_size, folder / "cache")
    rows = np.arange(len(files))
    folds = np.where(rows < setup.images, 1, 0)
    data = FoldData("mask", CLASSES, rows.astype(np.str_), folds, rows % len(CLASSES), rows, rows, cache.open())
    learner = FoldLearner(setup.config, data, 0, 0, placement)
    epochs = iter(range(10**6))

    def side() -> int:
        learner.train_epoch(next(epochs) % setup.config.epochs)
        return setup.images

    return side


def plain_side(setup: Setup, root: Path, step: Step) -> Callable[[], int]:
    """Return a function that trains on batches of a DataLoader over image files."""
    size, (mean, std) = setup.config.image_size, normalisation(setup.config.backbone)
    medium = make_transform("medium", horizontal_flip=0.5).transforms
    smaller = A.Resize(size, size, interpolation=cv2.INTER_AREA)
    transform = A.Compose([smaller, *medium, A.Normalize(mean, std), ToTensorV2()])
    folder = ImageFolder(root, lambda image: transform(image=np.asarray(image))["image"])
    loader: DataLoader[Any] = DataLoader(folder, setup.config.batch_size, shuffle=True)
    batches = endless(loader)

    def side() -> int:
        for images, classes in islice(batches, setup.batches):
            step(images, classes)
        return setup.images

    return side


def endless(loader: DataLoader[Any]) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield whole batches, epoch after epoch."""
    while True:
        yield from (batch for batch in loader if len(batch[0]) == loader.batch_size)


def plain_step(config: TrainConfig) -> Step:
    """Return the step as torch's defaults make it: default layout, AdamW."""
    model = make_model(config, len(CLASSES)).train()
    return one_step(config, model, torch.optim.AdamW(model.parameters(), config.learning_rate))


def stepping(config: TrainConfig, placement: Placement) -> Step:
    """Return the step of a trial without what feeds it."""
    learner = FoldLearner(config, toy_data(), 0, 0, placement)
    step = one_step(config, learner.model.train(), learner._optimizer)
    return lambda images, classes: step(images.to(memory_format=torch.channels_last), classes)


def one_step(config: TrainConfig, model: nn.Module, optimizer: Optimizer) -> Step:
    """Return a function that trains on one batch."""

    def step(images: Tensor, classes: Tensor) -> None:
        loss = cross_entropy(model(images), classes, label_smoothing=config.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_gradient)
        optimizer.step()

    return step


def toy_data() -> FoldData:
    """Return four images without content: what a learner needs to be made."""
    rows = np.arange(4)
    images = np.zeros((4, 8, 8, 3), np.uint8)
    return FoldData("mask", CLASSES, rows.astype(np.str_), rows % 2, rows % len(CLASSES), rows, rows, images)


if __name__ == "__main__":
    main()
