"""A search as Ray's documentation writes it, the peer of our own: OptunaSearch, ASHAScheduler, all folds inside a trial.

    python -m benchmarks.plain_search folds.csv --trials 16 --size 64 --epochs 13 --results plain

The table has the columns path, label and fold; paths are relative to it. Images are read with Pillow and changed by torchvision,
as an ImageFolder would; model, weights, folds and metric are ours. Whenever a trial of all folds is the best so far, a line of
JSON says so, and what its models score on the pictures of fold -1, which are fresh. Searched are the knobs of classify.yaml in
its ranges; a trial trains one fold after the other.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.plain_training import FRESH, METRIC, read_rows, train

SPACE = {
    "learning_rate": tune.loguniform(5e-4, 8e-3),
    "weight_decay": tune.loguniform(1e-4, 2e-1),
    "warmup_epochs": tune.uniform(0.0, 1.0),
    "augmentation": tune.choice(["none", "light", "medium"]),
    "drop_rate": tune.uniform(0.0, 0.5),
    "label_smoothing": tune.uniform(0.0, 0.15),
    "kept_weights": tune.choice(["last", "ema", "swa"]),
    "global_pool": tune.choice(["default", "max"]),
}


class Best(tune.Callback):
    """Prints a line whenever a trial that has trained all folds is the best so far."""

    def __init__(self, whole: int) -> None:
        self._whole, self._best = whole, float("-inf")

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Compare a result with the best."""
        if result["training_iteration"] >= self._whole and result[METRIC] > self._best:
            self._best = result[METRIC]
            print(json.dumps({"time": time.time(), METRIC: self._best, "fresh": result.get("fresh")}), flush=True)


def arguments_of() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--epochs", type=int, default=13)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--grace-period", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", help="the first configuration, as JSON")
    parser.add_argument("--results", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    """Search."""
    arguments = arguments_of()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    folds = len({row.fold for row in read_rows(arguments.table)[0]} - {FRESH})
    whole = folds * arguments.epochs
    fixed = {
        **{"table": str(arguments.table.absolute()), "size": arguments.size},
        **{"epochs": arguments.epochs, "batch_size": arguments.batch_size},
    }
    ray.init(num_cpus=os.cpu_count(), log_to_driver=False, logging_level="ERROR")
    first = [json.loads(arguments.first)] if arguments.first else None
    search = OptunaSearch(seed=arguments.seed, points_to_evaluate=first)
    settings: dict[str, Any] = {"metric": METRIC, "mode": "max", "num_samples": arguments.trials, "search_alg": search}
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={**SPACE, **fixed},
        tune_config=tune.TuneConfig(
            scheduler=ASHAScheduler(max_t=whole, grace_period=arguments.grace_period), **settings
        ),
        run_config=tune.RunConfig(storage_path=str(arguments.results.absolute()), verbose=0, callbacks=[Best(whole)]),
    )
    tuner.fit()


if __name__ == "__main__":
    main()
