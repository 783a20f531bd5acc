"""Measure, in a process of its own, how fast the corners of the spaces train when several trials share a device."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from launch.packing.choice import Row
from trainables.config import TrainConfig

_CORNERS = 3  # that differ in what costs time and memory
_COST = ("backbone", "image_size", "batch_size", "precision", "head_hidden")


def measured_rows(
    configurations: Sequence[TrainConfig], cores: int, gpus: int, plugins: Sequence[Path], seconds: float = 5
) -> list[Row]:
    """Return what the costliest configurations reach, one row for each and every division of the device.

    Raises:
        ValueError: the measurement failed; says why.
    """
    tried = [config.model_dump_json() for config in costliest(configurations)]
    options = ["--cores", str(cores), "--gpus", str(gpus), "--seconds", str(seconds)]
    options += ["--plugins", *map(str, plugins)] if plugins else []
    command = [sys.executable, "-m", "trainables.packing", *tried, *options]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["the measurement died"])[-1]
        raise ValueError(f"auto: how many trials may share the device was not found out ({reason}); say a number")
    return [Row(**json.loads(line)) for line in done.stdout.splitlines() if line.startswith("{")]


def costliest(configurations: Sequence[TrainConfig]) -> list[TrainConfig]:
    """Return a configuration of every kind in what costs time and memory, the largest batches and images first."""
    kinds = {tuple(getattr(config, knob) for knob in _COST): config for config in configurations}
    return sorted(kinds.values(), key=lambda config: -config.batch_size * config.image_size**2)[:_CORNERS]
