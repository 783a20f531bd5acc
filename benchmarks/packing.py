"""How many trials should share a device: the images per second of all of them together, and the memory of each.

    python -m benchmarks.packing --json rows.json                     # a CPU: trials x threads
    python -m benchmarks.packing --trials 1 2 3 4 --image-size 224    # a GPU: the N of --trials-per-gpu

Every trial is a process of its own that trains an epoch again and again for some seconds, all of them at the same time, as
under a search. The GPU branch was written for and never run on a GPU.
"""

import argparse
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch

from benchmarks.reporting import Row, peak_mebibytes, report
from trainables.config import TrainConfig
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import FoldData


@dataclass(frozen=True)
class Share:
    """What one of several trials is given."""

    config: TrainConfig
    resources: Resources
    starts: float  # when all begin to be timed, in seconds since 1970
    seconds: float


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--trials", type=int, nargs="+", help="trials at a time (GPU default: 1 2 3 4)")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = TrainConfig(
        backbone=arguments.backbone, image_size=arguments.image_size, batch_size=arguments.batch_size, weights="none"
    )
    rows: list[Row] = []
    for trials, resources in divisions(arguments.trials):
        rows.append(packed(config, trials, resources, arguments.seconds))
        rows[-1]["times_first"] = round(rows[-1]["images_per_second"] / rows[0]["images_per_second"], 2)
    report("Trials that share a device", rows, arguments.json)


def divisions(numbers: Sequence[int] | None) -> Iterator[tuple[int, Resources]]:
    """Yield the numbers of trials to try, and what each trial gets of the machine."""
    cores = os.cpu_count() or 1
    if torch.cuda.is_available():
        for trials in numbers or (1, 2, 3, 4):
            yield trials, Resources(max(1, cores // trials), 1 / trials)
        return
    for trials in numbers or [trials for trials in range(1, cores + 1) if cores % trials == 0]:
        yield trials, Resources(max(1, cores // trials))


def packed(config: TrainConfig, trials: int, resources: Resources, seconds: float) -> Row:
    """Return what so many trials reach side by side."""
    share = Share(config, resources, time.time() + 20 + 10 * trials, seconds)
    os.environ["OMP_NUM_THREADS"] = str(resources.cpus)
    with ProcessPoolExecutor(trials, get_context("spawn")) as pool:
        reached = [one.result() for one in [pool.submit(trained, share) for _ in range(trials)]]
    return {
        "trials": trials,
        "threads_each": resources.cpus,
        "gpu_share": round(resources.gpus, 2),
        "images_per_second": round(sum(speed for speed, _, _ in reached), 1),
        "memory_each_mib": round(max(memory for _, memory, _ in reached)),
        "gpu_memory_each_mib": round(max(memory for _, _, memory in reached)),
    }


def trained(share: Share) -> tuple[float, float, float]:
    """Return one trial's images per second, its peak memory and its peak memory of the GPU, in MiB."""
    learner = FoldLearner(share.config, noise(share.config), 0, 0, place(share.config, share.resources))
    learner.train_epoch(0)
    wait = share.starts - time.time()
    assert wait > 0, "this trial was not ready when the others were"
    time.sleep(wait)
    started, images = time.perf_counter(), 0
    while time.perf_counter() - started < share.seconds:
        learner.train_epoch(1)
        images += len(learner.data.training(0))
    speed = images / (time.perf_counter() - started)
    learner.close()
    on_gpu = torch.cuda.max_memory_reserved() / 2**20 if torch.cuda.is_available() else 0.0
    return speed, peak_mebibytes(), on_gpu


def noise(config: TrainConfig) -> FoldData:
    """Return noise as data, eight batches to train on: what the pixels show costs no time."""
    count, size = 9 * config.batch_size, config.image_size
    images = np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)
    rows = np.arange(count)
    folds = (rows >= config.batch_size).astype(np.int64)
    return FoldData("noise", ("a", "b", "c"), rows.astype(np.str_), folds, rows % 3, rows, rows, images)


if __name__ == "__main__":
    main()
