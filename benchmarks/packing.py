"""How many trials should share a device: the images per second of all of them together, and the memory of each.

    python -m benchmarks.packing --json rows.json                     # a CPU: trials x threads
    python -m benchmarks.packing --trials 1 2 3 4 --image-size 224    # a GPU: the N of --trials-per-gpu

Every trial is a process of its own that trains an epoch and predicts a quarter as many images, again and again for some seconds,
all of them at the same time, as under a search. The GPU branch was written for and never run on a GPU.
"""

import argparse
import os
from dataclasses import asdict
from pathlib import Path

import torch

from benchmarks.reporting import Row, report
from trainables.config import TrainConfig
from trainables.packing.measuring import divisions, packed


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="tf_efficientnet_lite0")
    parser.add_argument("--image-size", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--trials", type=int, nargs="+", default=[], help="trials at a time (GPU default: 1 2 3)")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    config = TrainConfig(
        backbone=arguments.backbone, image_size=arguments.image_size, batch_size=arguments.batch_size, weights="none"
    )
    rows: list[Row] = []
    for division in divisions(os.cpu_count() or 1, torch.cuda.device_count(), arguments.trials):
        rows.append(asdict(packed(config, division, arguments.seconds)))
        first = rows[0]["images_per_second"]
        rows[-1]["times_first"] = round((rows[-1]["images_per_second"] or 0.0) / first, 2) if first else None
    report("Trials that share a device", rows, arguments.json)


if __name__ == "__main__":
    main()
