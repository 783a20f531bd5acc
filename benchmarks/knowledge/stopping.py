"""What `--worth` saves and what it misses, on recorded sets that the search has not seen.

    python -m benchmarks.knowledge.stopping --seeds 10

Every search may begin 26 trials, one at a time, with the portfolio and the prior of the other sets. Saved is time, as a share of
the search without a price; missed is what that one's choice scores more over all folds. A price is worth its name where each hour
saved costs less score than it says.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.knowledge.left_out import known, portfolio_without
from benchmarks.knowledge.recorded_set import RecordedSet
from benchmarks.knowledge.row_search import RowJudge, drawable, shipped_space
from benchmarks.knowledge.shipped import FIRST
from benchmarks.replay import chosen
from schedulers.samplers.ask import Asker
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies.fold_ladder import INFORMED, FoldLadder

TRIALS, RATES = 26, (None, 0.5, 2.0, 8.0, 32.0)  # score an hour: these trials take seconds


@dataclass(frozen=True)
class Ended:
    """One search: seconds of training, trials, and the score of its choice over all folds."""

    seconds: float
    trials: int
    score: float


def searched(recorded: RecordedSet, seed: int, worth: float | None) -> Ended:
    """Return how a search with a price ends."""
    space, portfolio = shipped_space("random", seed), portfolio_without(recorded.name)
    ladder = FoldLadder(recorded.table.epochs, recorded.table.folds, **INFORMED)
    order = [recorded.configurations.index(one.origin) for one in portfolio.configurations[:FIRST]]
    judge = RowJudge(recorded, Asker(space, ladder, portfolio), order, drawable(recorded, space, portfolio))
    study = Simulation(ladder, Budget(TRIALS, worth=worth), 1, judge).run()
    seconds = sum(epoch.seconds for trial in study.trials.values() for epoch in trial.epochs)
    return Ended(seconds, len(study.trials), float(recorded.final[chosen(study, ladder)]))


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=10)
    arguments = parser.parse_args()
    runs = list(product(known(), range(arguments.seeds)))
    ended = {rate: [searched(one, seed, rate) for one, seed in runs] for rate in RATES}
    table = Table("price an hour", "trials", "seconds", "saved", "score missed", "missed an hour saved")
    for rate, found in ended.items():
        table.add_row(*_row(rate, ended[None], found))
    Console(width=120).print(table)


def _row(rate: float | None, free: Sequence[Ended], priced: Sequence[Ended]) -> list[str]:
    trials, seconds, score = (np.mean([[one.trials, one.seconds, one.score] for one in priced], axis=0)).tolist()
    whole, best = np.mean([[one.seconds, one.score] for one in free], axis=0).tolist()
    saved = (whole - seconds) / 3_600
    cost = f"{(best - score) / saved:.2f}" if saved > 0 else ""
    return [
        *("none" if rate is None else f"{rate:g}", f"{trials:.1f}", f"{seconds:.0f}"),
        *(f"{1 - seconds / whole:.0%}", f"{best - score:+.4f}", cost),
    ]


if __name__ == "__main__":
    main()
