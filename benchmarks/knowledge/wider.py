"""Whether a wider space finds less than the one before it, at equal cost, on sets that nothing has seen.

    python -m benchmarks.knowledge.wider --orders 60                  # as a launch begins
    python -m benchmarks.knowledge.wider --orders 60 --no-portfolio   # what the draws alone find

The space before searched rates, regularisation and what is kept of a training; the wider one also the optimizer, cut-mix, the
loss and focal gamma. Every recorded set is left out in turn, with its relatives: both spaces begin with the recipe and the
portfolio that the other sets give their configurations, and go on with random ones of the recorded configurations, the wider one
as often with the new knobs as its weights draw such. Both have the same budget of fold-epochs and the default ladder. The score
is that of the chosen configuration over all folds; the difference is paired by set, with the 95 % interval of its mean.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

from benchmarks.curves import Replayed
from benchmarks.knowledge import shipped
from benchmarks.knowledge.configurations import DRAWN_BEFORE, configurations
from benchmarks.knowledge.recorded_set import RANDOM, RECIPE, RecordedSet, recorded_sets
from benchmarks.replay import chosen
from schedulers.proposal import Proposal
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies import STRATEGIES
from schedulers.strategies.fold_ladder import INFORMED
from search_spaces.portfolio import Portfolio
from studies.state.study_state import StudyState

MARGIN = 0.005  # of macro F1, stated before anything was compared: half of what the first twelve of the portfolio miss
DESIGNED_BEFORE = 19  # designed configurations of the list before the space was widened
AS_BEFORE = 3 / 6 * 3 / 4 * 3 / 5  # chance of a draw from the wider space with adamw, cross entropy and no cut-mix
TRIALS = 24


@dataclass(frozen=True)
class Space:
    """The recorded configurations that a space has, and the chance that a draw is one of the space before."""

    name: str
    configurations: frozenset[str]
    as_before: float


@cache
def spaces() -> tuple[Space, Space]:
    """Return the space before, and the wider one."""
    every = next(recorded_sets()).configurations
    designed = [name for name in configurations() if not name.startswith(RANDOM)][:DESIGNED_BEFORE]
    drawn = [f"{RANDOM}{number + 1}" for number in range(DRAWN_BEFORE)]
    before = frozenset({*designed, *drawn} & {*every})
    return Space("before", before, 1.0), Space("wider", frozenset(every), AS_BEFORE)


class Judge(Replayed):
    """Judges by a set's table, and expects what the other sets say of a configuration."""

    def __init__(self, recorded: RecordedSet, order: npt.NDArray[np.int64], portfolio: Portfolio) -> None:
        super().__init__(recorded.table, order)
        places = {entry.origin: entry.place for entry in portfolio.configurations}
        self._sequence, self._places = order, [places.get(name) for name in recorded.configurations]

    def propose(self, number: int, study: StudyState) -> Proposal:
        """Return the next of the order."""
        row = int(self._sequence[number])
        return Proposal({"row": row}, "recipe" if number == 0 else "recorded", self._places[row])


def portfolio_of(space: Space, name: str) -> Portfolio:
    """Return the portfolio that a space has from the sets but one and its relatives."""
    tables = {
        other: {config: score for config, score in scores.items() if config in space.configurations}
        for other, scores in shipped.tables().items()
    }
    return shipped.portfolio_without(name, tables)


def sequence(space: Space, recorded: RecordedSet, known: Sequence[str], seed: int) -> npt.NDArray[np.int64]:
    """Return what a study of a space tries: the recipe, what is known to be good, then draws, none twice."""
    generator = np.random.default_rng(seed)
    first = [RECIPE, *known]
    drawn = [name for name in recorded.configurations if name.startswith(RANDOM) and name in space.configurations]
    generator.shuffle(drawn)
    old = [name for name in drawn if int(name.removeprefix(RANDOM)) <= DRAWN_BEFORE]
    new = [name for name in drawn if name not in old]
    names = list(dict.fromkeys(first))
    while len(names) < TRIALS and (old or new):
        pool = old if old and (not new or generator.random() < space.as_before) else new
        if (name := pool.pop()) not in names:
            names.append(name)
    return np.array([recorded.configurations.index(name) for name in names])


def scores(space: Space, recorded: RecordedSet, budget: int, orders: int, first: int) -> Iterator[float]:
    """Yield the score of what searches of a space choose, over all folds; they begin with so many of the portfolio."""
    portfolio = portfolio_of(space, recorded.name)
    known = [entry.origin for entry in portfolio.configurations[:first]]
    ladder = STRATEGIES["fold_ladder"](
        epochs=recorded.table.epochs, folds=recorded.table.folds, finalists=3, **INFORMED
    )
    for seed in range(orders):
        order = sequence(space, recorded, known, seed)
        budgeted = Budget(len(order), fold_epochs=budget)
        study = Simulation(ladder, budgeted, 1, Judge(recorded, order, portfolio)).run()
        yield float(recorded.final[chosen(study, ladder)])


def interval(values: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of values that are one for each set (Student's t)."""
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
    return float(values.mean()) - half, float(values.mean()) + half


def compared(budget: int, orders: int, first: int) -> Mapping[str, tuple[float, float]]:
    """Return by set the mean score of the space before and of the wider one."""
    before, wider = spaces()
    return {
        recorded.name: (
            float(np.mean(list(scores(before, recorded, budget, orders, first)))),
            float(np.mean(list(scores(wider, recorded, budget, orders, first)))),
        )
        for recorded in recorded_sets()
    }


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--budgets", type=int, nargs="+", default=[72, 120], help="fold-epochs of a search")
    parser.add_argument("--no-portfolio", action="store_true", help="begin with the recipe alone")
    arguments, console = parser.parse_args(), Console(width=140)
    first = 0 if arguments.no_portfolio else TRIALS // 2
    added = sorted(spaces()[1].configurations - spaces()[0].configurations)
    console.print(f"{len(added)} configurations with the new knobs: {', '.join(added)}", highlight=False)
    for budget in arguments.budgets:
        found = compared(budget, arguments.orders, first)
        table = Table("left out", "before", "wider", "difference", title=f"{budget} fold-epochs")
        for name, (ours, wide) in found.items():
            table.add_row(name, f"{ours:.4f}", f"{wide:.4f}", f"{wide - ours:+.4f}")
        differences = np.array([wide - ours for ours, wide in found.values()])
        low, high = interval(differences)
        table.add_row("mean", "", "", f"{differences.mean():+.4f} ({low:+.4f} to {high:+.4f})")
        console.print(table)
        worse = "not worse" if low > -MARGIN else "not shown to be as good"
        console.print(f"The wider space is {worse} by more than the margin of {MARGIN}.")


if __name__ == "__main__":
    main()
