"""How much a climb of nothing costs: time and driver memory over many climbs, and what a lost actor does.

python -m benchmarks.empty_climbs --climbs 2000 --json rows.json
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import ray
from ray.tune import PlacementGroupFactory, Trainable

from schedulers.ray.tune_search import run_climbs
from schedulers.shared_slots import SharedSlots
from schedulers.slot_ledger import SlotLedger
from schedulers.study_run import StudyRun
from search_spaces import Range, SearchSettings, SearchSpace
from studies.record.events import EpochScored
from studies.record.record import Record
from studies.trials.trial_folders import Drop, Holding


class EmptyTrainable(Trainable):
    """Climbs at once: every fold-epoch takes no time and scores the learning rate."""

    def setup(self, config: dict[str, Any]) -> None:
        self.reset_config(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.order = new_config
        folder = Path(new_config["study"]) / f"trial{new_config['trial']}_fold{new_config['fold']}"
        self.progress = folder
        self.done = int(folder.read_text()) if folder.exists() else 0
        return True

    def step(self) -> dict[str, Any]:
        if self.order["trial"] == self.order["kill_trial"] and self.order["attempt"] < self.order["kill_before"]:
            os.kill(os.getpid(), 9)
        self.done += 1
        self.progress.write_text(str(self.done))
        return {
            "score": self.order["configuration"]["learning_rate"] * self.done,
            "fold": self.order["fold"],
            "epoch": self.done - 1,
            "epochs": self.done,
            "seconds": 0.001,
            "done": self.done >= self.order["epoch"],
        }

    @classmethod
    def default_resource_request(cls, config: dict[str, Any]) -> PlacementGroupFactory:
        return PlacementGroupFactory([{"CPU": 1}])


class NoFolders:
    """Trial folders that know nothing beyond the record."""

    def saved_epochs(self, trial: int) -> dict[int, list[EpochScored]]:
        """Return nothing."""
        return {}

    def pooled_score(self, trial: int, folds: int) -> float:
        """Return a score that no decision depends on."""
        return 0.5

    def without_weights(self, trial: int) -> frozenset[int]:
        """Return none."""
        return frozenset()

    def left_alone(self, trial: int) -> frozenset[int]:
        """Return none."""
        return frozenset()

    def newest_attempt(self) -> int:
        """Return that there was none."""
        return 0

    def holding(self, trial: int) -> Holding:
        """Return that nothing is held."""
        return Holding(0, {})

    def other_bytes(self) -> int:
        """Return that nothing else is held."""
        return 0

    def drop(self, drop: Drop) -> None:
        """Drop nothing."""


def toy_space(trials: int) -> SearchSpace:
    """Return a space of one parameter, four epochs and two folds."""
    return SearchSpace(
        name="toy",
        profile=None,
        task="toy",
        data={},
        metric="macro_f1",
        parameters={"learning_rate": Range(low=0.0, high=0.1)},
        constants={"epochs": 4},
        defaults={"epochs": 4, "learning_rate": 0.05},
        search=SearchSettings(sampler="random", trials=trials, folds=2, finalists=2),
    )


def resident_mebibytes() -> float:
    """Return this process's resident memory in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def measure(trials: int, kill_trial: int = -1) -> dict[str, Any]:
    """Run a toy study of `trials` and return time and memory per climb."""
    with tempfile.TemporaryDirectory() as folder:
        study = Path(folder)
        with Record(study / "record.jsonl") as record:
            run = StudyRun(record, toy_space(trials), slots=2)
            run.start({}, NoFolders())
            before, started = resident_mebibytes(), time.perf_counter()
            common = {"study": folder, "kill_trial": kill_trial, "kill_before": 10**9}
            run_climbs(EmptyTrainable, SharedSlots([run], SlotLedger(2)), [common], study / "ray")
            seconds = time.perf_counter() - started
            climbs = run.state.last_attempt
            failed = [trial.number for trial in run.state.trials.values() if trial.failure]
        return {
            "trials": trials,
            "climbs": climbs,
            "seconds": round(seconds, 1),
            "seconds_per_climb": round(seconds / climbs, 4),
            "driver_growth_mib": round(resident_mebibytes() - before, 1),
            "failed": failed,
            "finished": run.finished,
        }


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--climbs", type=int, default=2000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    rows = [measure(12, kill_trial=5), measure(round(arguments.climbs / 1.5))]
    for row in rows:
        print(row)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))
    ray.shutdown()


if __name__ == "__main__":
    main()
