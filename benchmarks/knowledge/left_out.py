"""What a search costs until it has found a configuration as good as the best of 26 random ones, on a set that nothing has seen.

    python -m benchmarks.knowledge.left_out --seeds 20 --orders 400 --rows benchmarks/rows/left_out.jsonl

Every recorded set is left out in turn; the portfolio and the prior come from the others. The score to reach is that of the best
of the set's random configurations over all folds. A search has reached it when the trial that it would choose has that score, and
knows it when that trial has trained all folds. What never reaches it counts as all that it spent. Samplers choose among the
recorded configurations, the nearest to what they draw: baselines among the random ones, as their authors had no list.
Searches of samplers that learn are kept in the rows and not made again; random orders are quick.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from os import environ
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.knowledge.recorded_set import RecordedSet, recorded_sets
from benchmarks.knowledge.row_search import RowJudge, drawable, shipped_space
from benchmarks.knowledge.shipped import FIRST, shipped, tables
from benchmarks.recording import append_row, read_rows
from benchmarks.replay import chosen
from schedulers.budget import Budget
from schedulers.ladder import Ladder
from schedulers.samplers.ask import Asker
from schedulers.simulation import Simulation
from schedulers.strategies import STRATEGIES
from schedulers.strategies.fold_ladder import INFORMED
from search_spaces.portfolio import Portfolio
from studies.study_state import StudyState


@dataclass(frozen=True)
class Way:
    """A sampler and a strategy; whether the recipe begins, and a portfolio after it."""

    sampler: str
    strategy: str
    recipe: bool = True
    portfolio: bool = False


WAYS = {
    "random, full": Way("random", "full", recipe=False),
    "random, fold_ladder": Way("random", "fold_ladder", recipe=False),
    "tpe, stopping_asha (Ray)": Way("tpe", "stopping_asha", recipe=False),
    "recipe, tpe, fold_ladder": Way("tpe", "fold_ladder"),
    "recipe, gp, fold_ladder (before)": Way("gp", "fold_ladder"),
    "portfolio, tpe, fold_ladder": Way("tpe", "fold_ladder", portfolio=True),
    "portfolio, gp, fold_ladder": Way("gp", "fold_ladder", portfolio=True),
    "portfolio, transfer_gp, fold_ladder": Way("transfer_gp", "fold_ladder", portfolio=True),
}


@cache
def known() -> tuple[RecordedSet, ...]:
    """Return all sets."""
    return tuple(recorded_sets())


@cache
def portfolio_without(name: str) -> Portfolio:
    """Return the portfolio of all sets but one."""
    return shipped({other: scores for other, scores in tables().items() if other != name})


class Watch:
    """Notes when the trial that a search would choose first has the score, and when it has trained all folds."""

    def __init__(self, recorded: RecordedSet, ladder: Ladder) -> None:
        self._final, self._ladder = recorded.final, ladder
        self._target = float(recorded.final[recorded.random].max())
        self.reached: tuple[int, int] | None = None  # fold-epochs and trials
        self.knows: tuple[int, int] | None = None

    def __call__(self, study: StudyState, now: float) -> None:
        """Look at the study before the next fold-epoch is added."""
        if self.knows or all(one.fold_epochs < self._ladder.rungs[0] for one in study.trials.values()):
            return
        best = chosen(study, self._ladder)
        if self._final[best] < self._target:
            return
        here = (study.fold_epochs, len(study.trials))
        self.reached = self.reached or here
        if any(
            one.fold_epochs >= self._ladder.top for one in study.trials.values() if one.configuration["row"] == best
        ):
            self.knows = here


def searched(run: tuple[str, str, int]) -> dict[str, Any]:
    """Return what one search of one set costs."""
    name, (recorded,), seed = run[0], [one for one in known() if one.name == run[1]], run[2]
    way, table = WAYS[name], recorded.table
    informed = INFORMED if way.portfolio and way.strategy == "fold_ladder" else {}
    ladder = STRATEGIES[way.strategy](epochs=table.epochs, folds=table.folds, **informed)
    space, portfolio = shipped_space(way.sampler, seed), portfolio_without(recorded.name)
    asker = Asker(space, ladder, portfolio if way.portfolio else None)
    order = [recorded.configurations.index(one.origin) for one in portfolio.configurations[:FIRST]]
    pool = drawable(recorded, space, portfolio) if way.portfolio else recorded.random
    judge = RowJudge(recorded, asker, order if way.portfolio else (), pool, recipe=way.recipe)
    trials = len(recorded.random) + way.recipe
    watch = Watch(recorded, ladder)
    study = Simulation(ladder, Budget(trials), 1, judge, watch=watch).run()
    watch(study, 0.0)
    never = (study.fold_epochs, trials)
    return {
        **{"way": name, "set": recorded.name, "seed": seed, "spent": study.fold_epochs},
        **{"reached": watch.reached or never, "knows": watch.knows or never, "found": watch.knows is not None},
    }


def main() -> None:
    """Search, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="of samplers that learn")
    parser.add_argument("--orders", type=int, default=400, help="random ones")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rows", type=Path, required=True)
    arguments = parser.parse_args()
    environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})  # of the workers
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        for row in pool.map(searched, missing(arguments)):
            append_row(arguments.rows, row)
        random = list(pool.map(searched, random_runs(arguments), chunksize=16))
    Console(width=170).print(
        shown([*random, *(row for row in read_rows(arguments.rows) if row["way"] in arguments.ways)])
    )


def missing(arguments: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Yield the searches of samplers that learn that are not in the rows, one of every way and set before the next seed."""
    done = {(row["way"], row["set"], row["seed"]) for row in read_rows(arguments.rows)}
    ways = [way for way in arguments.ways if WAYS[way].sampler != "random"]
    every = ((way, one.name, seed) for seed in range(arguments.seeds) for way in ways for one in known())
    yield from (run for run in every if run not in done)


def random_runs(arguments: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Yield the random orders."""
    ways = [way for way in arguments.ways if WAYS[way].sampler == "random"]
    yield from ((way, one.name, seed) for way in ways for one in known() for seed in range(arguments.orders))


def shown(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the medians by way and set, and their median over the sets."""
    sets = list(dict.fromkeys(row["set"] for row in rows))
    table = Table(
        "way", *sets, "median", "trials", "known", "found", title="fold-epochs until the choice has the score"
    )
    for way in dict.fromkeys(row["way"] for row in rows):
        own = {name: [row for row in rows if row["way"] == way and row["set"] == name] for name in sets}
        medians = {
            key: [float(np.median([row[key][which] for row in own[name]])) for name in sets]
            for key, which in (("reached", 0), ("knows", 0))
        }
        trials = [float(np.median([row["reached"][1] for row in own[name]])) for name in sets]
        found = np.mean([row["found"] for name in sets for row in own[name]])
        cells = [*(f"{one:.0f}" for one in medians["reached"]), f"{np.median(medians['reached']):.1f}"]
        table.add_row(way, *cells, f"{np.median(trials):.1f}", f"{np.median(medians['knows']):.1f}", f"{found:.0%}")
    return table


if __name__ == "__main__":
    main()
