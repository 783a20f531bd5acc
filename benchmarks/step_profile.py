"""Where each millisecond of a trial's training step goes, on a CPU.

    python -m benchmarks.step_profile --image-size 64 --json rows.json

One learner's own parts, called in a step's order and timed one by one (median over the steps); forward and backward
are split by torch's profiler into the operators that take most.
"""

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.reporting import Row, report
from datasets.augmentations import AUGMENTATIONS
from datasets.images import Pixels
from datasets.transforms import augment, make_transform
from plugins.registry import arguments_for
from trainables.config import TrainConfig
from trainables.preflight.noise import noise
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.heads.head import Targets
from trainables.training.images.batches import gather
from trainables.training.images.fold_data import Rows
from trainables.training.images.mixing import cutmix

import albumentations as A  # noqa: N812, isort: skip  (the library's own convention)

Times = dict[str, list[float]]
_Result = TypeVar("_Result")
_OPERATORS = 6


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--augmentation", default="medium")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = TrainConfig(image_size=arguments.image_size, augmentation=arguments.augmentation, cutmix_probability=1)
    learner = FoldLearner(
        config, noise(config, 8 * config.batch_size, config.batch_size), 0, 0, place(config, Resources())
    )
    rows = [*by_part(learner, arguments.steps), *by_operator(learner)]
    report(f"A step of {config.batch_size} images of {config.image_size} pixels, one thread", rows, arguments.json)


def by_part(learner: FoldLearner, steps: int) -> list[Row]:
    """Return milliseconds of each part of a step and its share."""
    times: Times = defaultdict(list)
    knobs = arguments_for(AUGMENTATIONS[learner.config.augmentation], learner.config)
    transform = make_transform(learner.config.augmentation, **knobs)
    positions = np.arange(learner.config.batch_size)
    learner.model.train()
    for number in range(steps + 2):
        step(learner, times, partial(read, learner, transform, positions, number))
    medians = {part: statistics.median(taken[2:]) * 1000 for part, taken in times.items()}
    whole = sum(medians.values())
    return [{"part": part, "milliseconds": round(ms, 2), "share": round(ms / whole, 3)} for part, ms in medians.items()]


def read(learner: FoldLearner, transform: A.Compose, positions: Rows, seed: int) -> Pixels:
    """Return an augmented batch, as `TrainingBatches` makes it."""
    return augment(gather(learner.data, positions), transform, seed)


def step(learner: FoldLearner, times: Times, reading: Callable[[], Pixels]) -> None:
    """Make one step, every part of it timed."""

    def timed(part: str, work: Callable[[], _Result]) -> _Result:
        started = time.perf_counter()
        result = work()
        times[part].append(time.perf_counter() - started)
        return result

    pixels = timed("gather and augment", lambda: torch.from_numpy(reading()))
    images = timed("normalise", lambda: learner._normalised(pixels))
    targets = Targets(torch.eye(3)[torch.arange(len(pixels)) % 3])
    images = timed("cut-mix", lambda: cutmix(images, targets, learner.config, np.random.default_rng(0))[0])
    logits = timed("forward", lambda: learner._outputs(images))
    loss = timed("loss", lambda: learner._head.loss(logits, targets).mean())
    timed("zero gradients", learner._optimizer.zero_grad)
    timed("backward", loss.backward)
    timed("clip", lambda: torch.nn.utils.clip_grad_norm_(learner.model.parameters(), 5.0))
    timed("optimizer", learner._optimizer.step)


def by_operator(learner: FoldLearner) -> list[Row]:
    """Return milliseconds of the operators that take most of forward and backward."""
    images = torch.rand(learner.config.batch_size, 3, learner.config.image_size, learner.config.image_size)
    images = images.to(memory_format=torch.channels_last)
    with profile(activities=[ProfilerActivity.CPU]) as watched:
        for _ in range(4):
            torch.autograd.backward(learner._outputs(images).square().mean())
    operators = sorted(watched.key_averages(), key=lambda one: -one.self_cpu_time_total)[:_OPERATORS]
    whole = sum(one.self_cpu_time_total for one in watched.key_averages())
    return [
        {
            "part": f"  {one.key}",
            "milliseconds": round(one.self_cpu_time_total / 4000, 2),
            "share": round(one.self_cpu_time_total / whole, 3),
        }
        for one in operators
    ]


if __name__ == "__main__":
    main()
