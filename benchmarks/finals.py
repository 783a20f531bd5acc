"""How busy slots are, and when a search ends, on 2, 8 and 32 slots: simulated on recorded learning curves.

    python -m benchmarks.finals --tables benchmarks/tables/*.jsonl --orders 40

A row is a table and a number of slots, the mean over orders of 32 configurations behind the recipe: the share of slots that train
in the finals (all trials have begun, none is compared inside the first fold any more) and over the whole search, when the first
score over all folds stands and when the search ends (as shares of one slot's time for the same fold-epochs), the folds that
finalists trained who left the race, and the cost as a share of training everything.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from benchmarks.curves import CurveTable, Replayed, read_table
from benchmarks.replay import random_orders
from benchmarks.reporting import shown
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies.fold_ladder import FoldLadder
from studies.state.study_state import StudyState


class Watch:
    """Adds up how many slots train over the time of a simulated search."""

    def __init__(self, ladder: FoldLadder, trials: int) -> None:
        self._ladder, self._trials = ladder, trials
        self.busy = self.busy_in_finals = 0.0  # slot-seconds
        self.finals_began: float | None = None
        self.first_whole: float | None = None
        self.now = 0.0

    def __call__(self, study: StudyState, now: float) -> None:
        """Take in what ran until now."""
        worked = study.climbs() * (now - self.now)
        self.busy += worked
        if self.finals_began is not None:
            self.busy_in_finals += worked
        elif self._in_finals(study):
            self.finals_began = now
        if self.first_whole is None and any(self._ladder.rungs.top in trial.scores for trial in study.trials.values()):
            self.first_whole = now
        self.now = now

    def _in_finals(self, study: StudyState) -> bool:
        """Tell whether every trial has begun and nothing is compared inside the first fold any more."""
        looks = any(
            trial.climbing and trial.epochs_of(0) < self._ladder.epoch_rungs[-1] for trial in study.trials.values()
        )
        return len(study.trials) == self._trials and not looks


def measured(table: CurveTable, slots: int, order: npt.NDArray[np.int64]) -> dict[str, float]:
    """Return what one simulated search was like."""
    ladder = FoldLadder(table.epochs, table.folds)
    watch = Watch(ladder, len(order))
    study = Simulation(ladder, Budget(len(order)), slots, Replayed(table, order, recipe=True), watch=watch).run()
    seconds = study.seconds_per_fold_epoch() or 1.0
    one_slot = study.fold_epochs * seconds
    finals = watch.now - (watch.finals_began or watch.now)
    return {
        "busy in the finals": watch.busy_in_finals / (slots * finals) if finals else 1.0,
        "busy": watch.busy / (slots * watch.now),
        "first score over all folds": (watch.first_whole or watch.now) / one_slot,
        "end": watch.now / one_slot,
        "folds of those that left": left_folds(study, ladder),
        "cost": study.fold_epochs / (len(order) * ladder.rungs.whole),
    }


def left_folds(study: StudyState, ladder: FoldLadder) -> float:
    """Return how many whole folds beyond the first were trained by trials that did not train all of them."""
    unfinished = (one for one in study.trials.values() if not one.has_trained(ladder.rungs.top))
    return float(sum(max(0, sum(n == ladder.epochs for n in one.progress.values()) - 1) for one in unfinished))


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=Path, nargs="+", required=True)
    parser.add_argument("--slots", type=int, nargs="+", default=[2, 8, 32])
    parser.add_argument("--orders", type=int, default=40)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for path in arguments.tables:
        table = read_table(path)
        for slots in arguments.slots:
            found = [measured(table, slots, order) for order in random_orders(table, arguments.orders, seed=0)]
            means = {key: round(float(np.mean([row[key] for row in found])), 3) for key in found[0]}
            rows.append({"table": table.name, "slots": slots, **means})
    Console(width=170).print(shown(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
