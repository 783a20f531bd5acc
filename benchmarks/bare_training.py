"""A trial's training against a bare loop of the same steps: images per second, the wait for images, and what the device does.

    python -m benchmarks.bare_training --backbone tf_efficientnet_lite0 --image-size 64 --json rows.json

The bare loop steps on a batch that lies on the device already; the trial loads, augments, mixes and schedules. In turn, three
times each, and the median; on a GPU in the precision that trials take there.
"""

import argparse
import statistics
import time
from pathlib import Path
from typing import cast

import torch
from torch import nn

from benchmarks.reporting import Row, report
from trainables.config import TrainConfig
from trainables.preflight.noise import noise
from trainables.training.compiling import Outputs
from trainables.training.devices import Placement, Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.models import make_model
from trainables.training.optimization.optimizers import make_optimizer

_TURNS = 3


def main() -> None:
    """Measure, print and write the row."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--cpus", type=int, default=1)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = TrainConfig(
        backbone=arguments.backbone, image_size=arguments.image_size, batch_size=arguments.batch_size, weights="none"
    )
    resources = Resources(arguments.cpus, float(torch.cuda.is_available()))
    report("A trial's training and a bare loop", [against_bare(config, resources, arguments.steps)], arguments.json)


def against_bare(config: TrainConfig, resources: Resources, steps: int) -> Row:
    """Return the images per second of a trial and of a bare loop, and where the trial's time went."""
    placement = place(config, resources)
    learner = FoldLearner(config, noise(config, steps * config.batch_size, 1), 0, 0, placement)
    learner.train_epoch(0)
    trials, bare = [], []
    for _ in range(_TURNS):
        started = time.perf_counter()
        trials.append((learner.train_epoch(1), time.perf_counter() - started))
        bare.append(bare_speed(config, placement, steps))
    learner.close()
    outcome, seconds = sorted(trials, key=lambda one: one[0].images_per_second)[_TURNS // 2]
    return {
        "backbone": config.backbone,
        "image_size": config.image_size,
        "trial": round(outcome.images_per_second, 1),
        "bare": round(statistics.median(bare), 1),
        "trial_of_bare": round(outcome.images_per_second / statistics.median(bare), 3),
        "waiting": round(outcome.waited / seconds, 4),
        "device_busy": None if outcome.device_seconds is None else round(outcome.device_seconds / seconds, 3),
    }


def bare_speed(config: TrainConfig, placement: Placement, steps: int) -> float:
    """Return the images per second of steps on one batch, after a few to warm up."""
    device = placement.device
    model = make_model(config, 3).to(device).to(memory_format=torch.channels_last).train()
    optimizer = make_optimizer(model, config)
    images = torch.rand(config.batch_size, 3, config.image_size, config.image_size, device=device)
    images = images.to(memory_format=torch.channels_last)
    classes, started = torch.zeros(config.batch_size, dtype=torch.long, device=device), 0.0
    for step in range(-3, steps):
        if step == 0:
            _finish(device)
            started = time.perf_counter()
        with placement.autocast():
            loss = nn.functional.cross_entropy(cast(Outputs, model)(images).float(), classes)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.clip_gradient)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    _finish(device)
    return config.batch_size * steps / (time.perf_counter() - started)


def _finish(device: torch.device) -> None:
    """Wait until a GPU has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
