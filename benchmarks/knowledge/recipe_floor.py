"""Whether a search chooses something worse than the recipe, judged on pictures that no trial has seen, and how often it pays.

    python -m benchmarks.knowledge.recipe_floor --seeds 3

Studies of several sizes on every recorded set, its portfolio and prior from the other sets. What a study chooses is compared with
the recipe on the set's fresh pictures, fold model by fold model; worse or better beyond noise is what a paired bootstrap over
persons leaves no doubt of (95 %).
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from rich.console import Console
from rich.table import Table

from analysis.leaderboard.rows import Row, chosen, leaderboard
from benchmarks.knowledge.left_out import known, portfolio_without
from benchmarks.knowledge.recorded_set import RECIPE, RecordedSet
from benchmarks.knowledge.row_search import RowJudge, drawable, shipped_space
from schedulers.samplers.ask import Asker
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies.fold_ladder import INFORMED, FoldLadder

SIZES = (8, 16, 32)
RULES = {"the best": lambda rows: rows[0], "ties to the recipe": chosen}


@dataclass(frozen=True)
class Verdict:
    """What one study's choice is ahead of the recipe on fresh pictures, with its interval; nothing where it is the recipe."""

    ahead: float = 0.0
    low: float = 0.0
    high: float = 0.0


def rows_of(recorded: RecordedSet, seed: int, trials: int) -> list[Row]:
    """Return the leaderboard of one study."""
    space, portfolio = shipped_space("gp", seed), portfolio_without(recorded.name)
    ladder = FoldLadder(recorded.table.epochs, recorded.table.folds, **INFORMED)
    pool = np.random.default_rng(seed).permutation(drawable(recorded, space, portfolio))[
        :-5
    ]  # another choice every seed
    order = [place for place in pool if recorded.configurations[place] != RECIPE]
    first = {one.origin: rank for rank, one in enumerate(portfolio.configurations)}
    order.sort(key=lambda place: first[recorded.configurations[place]])
    judge = RowJudge(recorded, Asker(space, ladder, portfolio), order[: trials // 2], pool)
    study = Simulation(ladder, Budget(min(trials, len(pool))), 1, judge).run()
    rows = leaderboard(study, ladder.rungs)
    return [Row(**{**vars(row), "trial": study.trials[row.trial].configuration["row"]}) for row in rows]


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    verdicts: dict[tuple[str, int], list[Verdict]] = {(rule, size): [] for rule, size in product(RULES, SIZES)}
    for recorded, seed, size in product(known(), range(arguments.seeds), SIZES):
        rows = rows_of(recorded, seed, size)
        recipe = recorded.configurations.index(RECIPE)
        for name, rule in RULES.items():
            choice = rule(rows)
            same = choice is None or choice.trial == recipe
            found = Verdict() if same else Verdict(*recorded.fresh_difference(choice.trial, recipe))
            verdicts[name, size].append(found)
    Console(width=140).print(shown(verdicts))


def shown(verdicts: dict[tuple[str, int], list[Verdict]]) -> Table:
    """Return the shares and gains by rule and size."""
    columns = ("recipe chosen", "worse", "better", "gain, mean", "worst")
    table = Table("rule", "trials", "studies", *columns, title="on fresh pictures")
    for (rule, size), found in verdicts.items():
        table.add_row(rule, str(size), *_cells(found))
    for rule in RULES:
        table.add_row(
            rule, "all", *_cells([one for (name, _), some in verdicts.items() if name == rule for one in some])
        )
    return table


def _cells(found: Sequence[Verdict]) -> list[str]:
    shares = [
        np.mean([one == Verdict() for one in found]),
        np.mean([one.high < 0 for one in found]),
        np.mean([one.low > 0 for one in found]),
    ]
    ahead = [one.ahead for one in found]
    return [str(len(found)), *(f"{share:.0%}" for share in shares), f"{np.mean(ahead):+.4f}", f"{min(ahead):+.4f}"]


if __name__ == "__main__":
    main()
