"""What a search costs until it has found a configuration as good as the best of 26 random ones, on a set that nothing has seen.

    python -m benchmarks.knowledge.left_out --seeds 20 --orders 400 --rows benchmarks/rows/left_out.jsonl

Every recorded set is left out in turn, with those of the same persons or kind of pictures; the portfolio and the prior come from
the others. The score to reach is that of the best of the set's random configurations over all folds. A search knows it when the
trial that it would choose has that score and has trained all folds. Searches that end without it are begun again: what they spent
counts, and the cost is what is spent in all by the searches of a set, a search that found it. Samplers choose among the recorded
configurations, the nearest to what they draw: baselines among the random ones, as their authors had no list.
Searches of samplers that learn are kept in the rows, with a digest of what they depend on, and not made again; random orders are
quick.
"""

import argparse
import hashlib
import json
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

from benchmarks.knowledge import shipped
from benchmarks.knowledge.recorded_set import RecordedSet, recorded_sets
from benchmarks.knowledge.row_search import RowJudge, drawable, shipped_space
from benchmarks.knowledge.shipped import FIRST
from benchmarks.recording import append_row, read_rows
from benchmarks.replay import chosen
from schedulers.samplers.ask import Asker
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies import STRATEGIES
from schedulers.strategies.fold_ladder import INFORMED
from schedulers.strategy import Strategy
from search_spaces.portfolio import Portfolio
from studies.state.study_state import StudyState


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
    """Return the portfolio of all sets but one and its relatives."""
    return shipped.portfolio_without(name, shipped.tables())


class Watch:
    """Notes when the trial that a search would choose first has the score and has trained all folds."""

    def __init__(self, recorded: RecordedSet, ladder: Strategy) -> None:
        self._final, self._ladder = recorded.final, ladder
        self._target = float(recorded.final[recorded.random].max())
        self.knows: int | None = None  # fold-epochs

    def __call__(self, study: StudyState, now: float) -> None:
        """Look at the study before the next fold-epoch is added."""
        if self.knows or not any(one.has_trained(self._ladder.rungs.first) for one in study.trials.values()):
            return
        best = chosen(study, self._ladder)
        if self._final[best] < self._target:
            return
        if any(
            one.has_trained(self._ladder.rungs.top) for one in study.trials.values() if one.configuration["row"] == best
        ):
            self.knows = study.fold_epochs


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
    return {
        **{"way": name, "set": recorded.name, "seed": seed, "digest": digest(name, recorded.name)},
        **{"spent": study.fold_epochs, "knows": watch.knows},
    }


@cache
def digest(way: str, name: str) -> str:
    """Return a hash of what the searches of a way and a set depend on, but for the code."""
    entries = [one.model_dump(mode="json") for one in portfolio_without(name).configurations]
    (recorded,) = (one for one in known() if one.name == name)
    curves = hashlib.sha256(recorded.table.scores.tobytes()).hexdigest()
    facts = [repr(WAYS[way]), INFORMED, FIRST, curves, entries if WAYS[way].portfolio else []]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


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
    Console(width=170).print(shown([*random, *kept(arguments)]))


def missing(arguments: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Yield the searches of samplers that learn that are not in the rows, one of every way and set before the next seed."""
    done = {(row["way"], row["set"], row["seed"]) for row in kept(arguments)}
    ways = [way for way in arguments.ways if WAYS[way].sampler != "random"]
    every = ((way, one.name, seed) for seed in range(arguments.seeds) for way in ways for one in known())
    yield from (run for run in every if run not in done)


def kept(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Return the rows of the ways asked for that are still true."""
    rows = [row for row in read_rows(arguments.rows) if row["way"] in arguments.ways]
    return [row for row in rows if row["digest"] == digest(row["way"], row["set"])]


def random_runs(arguments: argparse.Namespace) -> Iterator[tuple[str, str, int]]:
    """Yield the random orders."""
    ways = [way for way in arguments.ways if WAYS[way].sampler == "random"]
    yield from ((way, one.name, seed) for way in ways for one in known() for seed in range(arguments.orders))


def shown(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return by way and set the fold-epochs a success costs and the share of searches that have one."""
    sets = list(dict.fromkeys(row["set"] for row in rows))
    table = Table("way", *sets, "median", "found", title="fold-epochs until it is known, restarts included | share")
    for way in dict.fromkeys(row["way"] for row in rows):
        own = [[row for row in rows if row["way"] == way and row["set"] == name] for name in sets]
        costs = [cost(some) for some in own]
        shares = [float(np.mean([row["knows"] is not None for row in some])) for some in own]
        cells = [f"{spent:.0f} | {share:.0%}" for spent, share in zip(costs, shares, strict=True)]
        table.add_row(way, *cells, f"{np.median(costs):.0f}", f"{np.mean(shares):.0%}")
    return table


def cost(rows: Sequence[Mapping[str, Any]]) -> float:
    """Return the fold-epochs that searches spend for each that finds what is sought; infinite if none does.

    It is the expected running time of Hansen et al., "COCO", 2021.
    """
    found = sum(row["knows"] is not None for row in rows)
    spent = sum(row["spent"] if row["knows"] is None else row["knows"] for row in rows)
    return spent / found if found else float("inf")


if __name__ == "__main__":
    main()
