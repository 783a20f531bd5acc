"""Trials side by side on one device, each in a process of its own: images per second of all together, and the memory of each."""

import os
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, BrokenBarrierError
from typing import Any

import torch

from command_line.worker_pool import worker_pool
from plugins.loading import load_plugin
from plugins.sources import plugin_at
from trainables.config import TrainConfig, configured
from trainables.preflight.noise import noise
from trainables.training.devices import CONTEXT_BYTES, Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import FoldData
from trainables.training.memory import is_out_of_memory

_BATCHES, _PREDICTED = 8, 2  # that an epoch trains, and then predicts
_PARTS = (1, 2, 4, 8)  # of a batch, tried until memory suffices, as a search would
_PATIENCE = 300.0  # seconds until all are ready
_meeting = list[Barrier]()  # of this process and those beside it


@dataclass(frozen=True)
class Division:
    """A device among so many trials, and what each of them may use of the machine."""

    trials: int
    resources: Resources


@dataclass(frozen=True)
class Packed:
    """What so many trials of a configuration reach side by side; `images_per_second` is None where memory did not suffice."""

    trials: int
    cpus: int  # of each
    images_per_second: float | None = None  # of all together, trained
    memory: float = 0.0  # MiB of each: the GPU's where there is one, else resident
    free: float = 0.0  # MiB that all have together


def divisions(cores: int, gpus: int, trials: Sequence[int] = ()) -> Iterator[Division]:
    """Yield ways to divide a GPU, among as many cores as it has its share of, or else the cores of a machine."""
    if gpus:
        for several in trials or (1, 2, 3):
            yield Division(several, Resources(max(1, cores // (several * gpus)), 1 / several))
        return
    for several in trials or [several for several in range(1, cores + 1) if cores % several == 0]:
        yield Division(several, Resources(max(1, cores // several)))


def packed(config: TrainConfig, division: Division, seconds: float, plugins: Sequence[Path] = ()) -> Packed:
    """Train so many trials of a configuration for some seconds, all at the same time."""
    trials, resources = division.trials, division.resources
    os.environ["OMP_NUM_THREADS"] = str(resources.cpus)
    context = get_context("spawn")
    with worker_pool(trials, _begin, (context.Barrier(trials), plugins)) as pool:
        running = [pool.submit(_trained, config.model_dump(), resources, seconds) for _ in range(trials)]
        reached = [one.result() for one in running]
    free = _device_memory() if resources.gpus else os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    if any(speed is None for speed, _ in reached):
        return Packed(trials, resources.cpus, free=free)
    speed = sum(speed for speed, _ in reached if speed is not None)
    return Packed(trials, resources.cpus, round(speed, 1), round(max(memory for _, memory in reached)), round(free))


def _begin(ready: Barrier, plugins: Sequence[Path]) -> None:
    """Keep what all trials of a division meet at, and import plugins, in a new process."""
    _meeting[:] = [ready]
    for path in plugins:
        load_plugin(plugin_at(path))


def _trained(values: dict[str, Any], resources: Resources, seconds: float) -> tuple[float | None, float]:
    """Return one trial's images per second, None if it ran out of memory, and the MiB that it took at most."""
    config = configured({**values, "weights": "none"})
    data = noise(config, _BATCHES * config.batch_size, _PREDICTED * config.batch_size)
    learner = _learner(config, data, resources)
    if learner is None:
        _meeting[0].abort()
        return None, _memory(resources)
    try:
        _meeting[0].wait(_PATIENCE)
        return _speed(learner, seconds), _memory(resources)
    except (MemoryError, RuntimeError) as error:
        if not (
            isinstance(error, BrokenBarrierError) or is_out_of_memory(error)
        ):  # another trial, or this one, has none
            raise
        return None, _memory(resources)
    finally:
        learner.close()


def _learner(config: TrainConfig, data: FoldData, resources: Resources) -> FoldLearner | None:
    """Return a learner that has trained and predicted, its batches in as many parts as it takes; None if none fits."""
    learner: FoldLearner | None = None
    for parts in _PARTS:
        try:
            learner = FoldLearner(config, data, 0, 0, place(config, resources), micro_batches=parts)
            learner.train_epoch(0)
            learner.judge_validation()
            return learner
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        learner = None
        if resources.gpus:  # what a try took is no matter of the next
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
    return None


def _speed(learner: FoldLearner, seconds: float) -> float:
    """Return the images that a learner trains in a second, its predictions counted as time alone."""
    started, images = time.perf_counter(), 0
    while (took := time.perf_counter() - started) < seconds or not images:
        learner.train_epoch(0)
        learner.judge_validation()
        images += _BATCHES * learner.config.batch_size
    return images / took


def _memory(resources: Resources) -> float:
    if resources.gpus:
        return (torch.cuda.max_memory_reserved() + CONTEXT_BYTES) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _device_memory() -> float:
    """Return the MiB of the first GPU."""
    return torch.cuda.get_device_properties(0).total_memory / 2**20
