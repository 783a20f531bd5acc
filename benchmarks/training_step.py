"""What makes a training step faster on this device: layout, optimizer, precision, compiling. Behind the table in devices.py.

    python -m benchmarks.training_step --image-size 64 --json rows.json

Every variant in a process of its own, on random pixels; `before_first_step` is what making the model and the first step
took, compiling included, for the first trial of a node and for the next one, which finds the compiled kernels.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from torch import nn

from benchmarks.reporting import Row, in_new_process, report
from trainables.config import TrainConfig
from trainables.training.compiling import Outputs, compiled
from trainables.training.models import make_model
from trainables.training.optimization.optimizers import make_optimizer


@dataclass(frozen=True)
class Variant:
    """One way to run a step; each adds one thing to the one before it, but for the last two."""

    name: str
    channels_last: bool = True
    fused: bool = True
    bfloat16: bool = False
    compiled: bool = False


VARIANTS = (
    Variant("plain", channels_last=False, fused=False),
    Variant("channels_last", fused=False),
    Variant("channels_last, fused"),
    Variant("channels_last, fused, bfloat16", bfloat16=True),
    Variant("channels_last, fused, compiled", compiled=True),
)


@dataclass(frozen=True)
class Taken:
    """Seconds of one variant: up to the end of the first step, of a later step, and of the optimizer in it."""

    first: float
    step: float
    optimizer: float


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = TrainConfig(backbone=arguments.backbone, image_size=arguments.image_size)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as compiled:
        for variant in VARIANTS:
            taken = in_new_process(timed, variant, config, arguments.threads, arguments.steps, compiled)
            again = in_new_process(timed, variant, config, arguments.threads, 2, compiled)
            rows.append(row(variant, config, arguments.threads, taken, again.first))
            rows[-1]["times_plain"] = round(rows[0]["milliseconds"] / rows[-1]["milliseconds"], 2)
    rows += in_new_process(evaluation, config, arguments.threads)
    report("One training step", rows, arguments.json)


def row(variant: Variant, config: TrainConfig, threads: int, taken: Taken, next_trial: float) -> Row:
    """Return a variant's row."""
    return {
        "variant": variant.name,
        "image_size": config.image_size,
        "threads": threads,
        "milliseconds": round(taken.step * 1000, 1),
        "of_which_optimizer": round(taken.optimizer * 1000, 1),
        "images_per_second": round(config.batch_size / taken.step, 1),
        "before_first_step": round(taken.first, 1),
        "next_trial": round(next_trial, 1),
    }


def timed(variant: Variant, config: TrainConfig, threads: int, steps: int, compiled: str) -> Taken:
    """Return what making the model and the first step took, and the medians of the other steps."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = compiled
    torch.set_num_threads(threads)
    started, taken = time.perf_counter(), []
    step = stepping(variant, config)
    step()
    first = time.perf_counter() - started
    for _ in range(steps):
        started = time.perf_counter()
        optimizer = step()
        taken.append((time.perf_counter() - started, optimizer))
    return Taken(first, *(statistics.median(one) for one in zip(*taken, strict=True)))


def evaluation(config: TrainConfig, threads: int) -> list[Row]:
    """Return how fast batches of several sizes are predicted."""
    torch.set_num_threads(threads)
    model = make_model(config, 3).to(memory_format=torch.channels_last).eval()
    rows: list[Row] = []
    for size in (16, 32, 64, 128, 256):
        images = torch.rand(size, 3, config.image_size, config.image_size).to(memory_format=torch.channels_last)
        taken = []
        with torch.inference_mode():
            for _ in range(6):
                started = time.perf_counter()
                model(images)
                taken.append(time.perf_counter() - started)
        seconds = statistics.median(taken[1:])
        name = f"predicting {size} at a time"
        rows.append({"variant": name, "image_size": config.image_size, "images_per_second": round(size / seconds, 1)})
    return rows


def stepping(variant: Variant, config: TrainConfig) -> Callable[[], float]:
    """Return a function that makes one step and returns the optimizer's seconds."""
    layout = torch.channels_last if variant.channels_last else torch.contiguous_format
    model = make_model(config, 3).to(memory_format=layout).train()
    outputs = compiled(model, "kernels") if variant.compiled else cast(Outputs, model)
    optimizer = make_optimizer(model, config)
    if not variant.fused:
        optimizer = torch.optim.AdamW(model.parameters(), config.learning_rate)
    images = torch.rand(config.batch_size, 3, config.image_size, config.image_size).to(memory_format=layout)
    classes = torch.zeros(config.batch_size, dtype=torch.long)

    def step() -> float:
        with torch.autocast("cpu", torch.bfloat16, enabled=variant.bfloat16):
            loss = nn.functional.cross_entropy(outputs(images).float(), classes)
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        started = time.perf_counter()
        optimizer.step()
        return time.perf_counter() - started

    return step


if __name__ == "__main__":
    main()
