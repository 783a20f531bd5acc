"""Which rule of who goes on spends least for what it finds, on recorded sets that it has not seen.

    python -m benchmarks.knowledge.promotion --orders 100 --json rows.json

Every set in turn; what is expected of a configuration comes from the other sets. In every order other configurations compete, in
another sequence. Cost is in fold-epochs as a share of training everything, regret is what the best of an order scores above the
chosen one, over all folds; both are means. A rule is beaten where a simpler one costs less and misses less, by more than twice
the standard error of the difference of regrets.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import product
from multiprocessing import get_context
from os import environ
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from benchmarks.curves import Replayed
from benchmarks.knowledge.left_out import known, portfolio_without
from benchmarks.knowledge.recorded_set import RecordedSet
from benchmarks.knowledge.row_search import shipped_space
from benchmarks.replay import chosen
from schedulers.proposal import Proposal
from schedulers.samplers.transfer.known import Known
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies import STRATEGIES
from schedulers.strategies.fold_ladder import INFORMED
from schedulers.strategy import Strategy
from search_spaces.portfolio import lies_in
from studies.state.study_state import StudyState

CONTENDERS, FINALISTS = (8, 16, 32), (1, 3)
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "fold_ladder": ("fold_ladder", INFORMED),
    "3 looks, half": ("fold_ladder", {}),
    "3 looks, half, no prior (before)": ("fold_ladder", {"looks": 3, "keep": 0.5, "prior": 0.0}),
    "fold_ladder, none skipped": ("fold_ladder", {**INFORMED, "blind_below": -2.0}),
    "fold_ladder, skipped below 0.3": ("fold_ladder", {**INFORMED, "blind_below": 0.3}),
    "2 looks, half": ("fold_ladder", {"looks": 2, "keep": 0.5}),
    "fold_ladder, no prior": ("fold_ladder", {**INFORMED, "prior": 0.0}),
    "1 look": ("fold_ladder", {"looks": 1}),
    "survey": ("survey", {"prior": 0.0}),
    "survey of 2 epochs": ("survey", {"grace_period": 2, "prior": 0.0}),
    "asha": ("asha", {}),
    "stopping_asha": ("stopping_asha", {}),
}
SIMPLER = ("survey", "survey of 2 epochs", "asha", "stopping_asha")


@dataclass(frozen=True)
class Cell:
    """One set, one number of contenders and of finalists."""

    name: str
    contenders: int
    finalists: int


class Expected(Replayed):
    """Judges by a table, and says what other sets expect."""

    def __init__(self, recorded: RecordedSet, order: npt.NDArray[np.int64]) -> None:
        super().__init__(recorded.table, order)
        self._places, self._sequence = expectations(recorded.name), order

    def propose(self, number: int, study: StudyState) -> Proposal:
        """Return the next of the order."""
        row = int(self._sequence[number])
        return Proposal({"row": row}, "recorded", self._places[row])


@cache
def expectations(name: str) -> list[float]:
    """Return the place of every configuration of a set by the others: smoothed, where it lies in the space."""
    portfolio, space = portfolio_without(name), shipped_space("random", 0)
    smooth, entries = Known(space, portfolio), {one.origin: one for one in portfolio.configurations}
    (recorded,) = (one for one in known() if one.name == name)

    def place(config: str) -> float:
        entry = entries.get(config)
        if entry is None:
            return 0.5
        drawn = {knob: value for knob, value in entry.configuration.items() if knob in space.parameters}
        smoothed = smooth.place(space.complete(drawn)) if lies_in(space, entry) else None
        return entry.place if smoothed is None else smoothed

    return [place(config) for config in recorded.configurations]


def ladder_of(rule: str, recorded: RecordedSet, finalists: int) -> Strategy:
    """Return the strategy of a rule."""
    name, options = RULES[rule]
    return STRATEGIES[name](epochs=recorded.table.epochs, folds=recorded.table.folds, finalists=finalists, **options)


def replayed(run: tuple[str, Cell, int]) -> dict[str, Any]:
    """Return costs and regrets of a rule in a cell, order by order."""
    rule, cell, orders = run
    (recorded,) = (one for one in known() if one.name == cell.name)
    ladder, generator = ladder_of(rule, recorded, cell.finalists), np.random.default_rng(cell.contenders)
    costs, regrets = [], []
    for _ in range(orders):
        order = generator.permutation(len(recorded.configurations))[: cell.contenders]
        study = Simulation(ladder, Budget(len(order)), 1, Expected(recorded, order)).run()
        costs.append(study.fold_epochs / (len(order) * ladder.rungs.whole))
        regrets.append(float(recorded.final[order].max() - recorded.final[chosen(study, ladder)]))
    return {"rule": rule, **vars(cell), "costs": costs, "regrets": regrets}


def beaten(rows: Sequence[Mapping[str, Any]], rule: str) -> list[str]:
    """Return in which cells, and by which simpler rule, a rule is beaten in cost and regret at once."""
    by = {(row["rule"], row["name"], row["contenders"], row["finalists"]): row for row in rows}
    found = []
    for (other, *cell), row in by.items():
        ours = by.get((rule, *cell))
        if other not in SIMPLER or ours is None or np.mean(row["costs"]) >= np.mean(ours["costs"]):
            continue
        less = np.array(ours["regrets"]) - np.array(row["regrets"])
        if less.mean() > 2 * less.std() / len(less) ** 0.5:
            found.append(f"{cell[0]}, {cell[1]} contenders, {cell[2]} finalists: {other}")
    return found


def looks() -> Table:
    """Return how well a score of the first fold, and what other sets say, agree with the other folds."""
    table = Table(
        "set", "epoch 1", "last epoch", "other sets", "epoch 1 and other sets", title="Spearman with other folds"
    )
    for one in known():
        if one.table.folds < 2:
            continue
        rest, said = one.table.scores[:, 1:, -1].mean(axis=1), np.array(expectations(one.name))
        first, last = one.table.scores[:, 0, 0], one.table.scores[:, 0, -1]
        both = first.argsort().argsort() + said.argsort().argsort()
        table.add_row(one.name, *(f"{spearmanr(side, rest)[0]:.2f}" for side in (first, last, said, both)))
    return table


def shown(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Return the mean cost and regret of every rule, and how often it is beaten."""
    cells = list(product(CONTENDERS, FINALISTS))
    table = Table("rule", *(f"{contenders} / {finalists}" for contenders, finalists in cells), "mean", "beaten")
    table.title = "contenders / finalists: cost | regret, mean over the sets"
    for rule in dict.fromkeys(row["rule"] for row in rows):
        own = [row for row in rows if row["rule"] == rule]
        spelled = [_pair([row for row in own if (row["contenders"], row["finalists"]) == cell]) for cell in cells]
        table.add_row(rule, *spelled, _pair(own), str(len(beaten(rows, rule))))
    return table


def _pair(rows: Sequence[Mapping[str, Any]]) -> str:
    return f"{np.mean([row['costs'] for row in rows]):.3f} | {np.mean([row['regrets'] for row in rows]):.4f}"


def runs(rules: Sequence[str], orders: int) -> Iterator[tuple[str, Cell, int]]:
    """Yield what is replayed."""
    for rule, one, contenders, finalists in product(rules, known(), CONTENDERS, FINALISTS):
        yield rule, Cell(one.name, contenders, finalists), orders


def main() -> None:
    """Replay, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--rules", nargs="+", default=list(RULES), choices=list(RULES), metavar="RULE")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    environ.update({"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"})  # of the workers
    console = Console(width=180)
    console.print(looks())
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        rows = list(pool.map(replayed, runs(arguments.rules, arguments.orders), chunksize=4))
    console.print(shown(rows))
    for line in beaten(rows, "fold_ladder"):
        console.print(f"fold_ladder is beaten on {line}")
    if arguments.json:
        arguments.json.write_text(json.dumps(rows))


if __name__ == "__main__":
    main()
