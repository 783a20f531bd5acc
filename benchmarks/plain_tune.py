"""One trial as a plain Ray Tune script trains it: the other side of `trial_overhead`, and no part of Foldrace.

    python -m benchmarks.plain_tune SAMPLES

Imports, starts Ray, hands one function trainable to a Tuner, and prints when its first training batch began. The trainable
reads the same decoded images and makes the same model with the same weights.
"""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import ray
from ray import tune

from trainables.training.images.fold_data import load_fold_data


def train(config: dict[str, Any]) -> None:
    """Train one batch and report it."""
    import torch

    from trainables.config import TrainConfig
    from trainables.training.models import make_model

    torch.set_num_threads(1)
    data = load_fold_data(Path(config["study"]))
    model = make_model(TrainConfig(), len(data.classes)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    began = time.time()
    images = torch.from_numpy(data.images[data.rows[:32]]).permute(0, 3, 1, 2).float() / 255
    loss = torch.nn.functional.cross_entropy(model(images), torch.from_numpy(data.targets[:32]))
    torch.autograd.backward(loss)
    optimizer.step()
    tune.report({"began": began})


def main() -> None:
    """Run one trial and print when its first batch began, in seconds since 1970."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    ray.init(log_to_driver=False, logging_level="ERROR")
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(train, {"cpu": 1}),
            param_space={"study": sys.argv[1]},
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        (result,) = tuner.fit()
    print(result.metrics["began"])


if __name__ == "__main__":
    main()
