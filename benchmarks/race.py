"""What each race rule saves in the finals, and how often it lets the best finalist go.

    python -m benchmarks.race --tables benchmarks/tables/*.jsonl --orders 400 --workers 2 --json rows.json

Every order is replayed with the fold ladder under every rule. An error is a race whose best finalist, by its score over
all folds, left before its last fold; the loss is what it scores above the finalist that was chosen instead, over all races.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from benchmarks.curves import CurveTable, Replayed, table_argument
from benchmarks.replay import chosen, random_orders
from schedulers.race import RaceRule
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies.finals import finalists
from schedulers.strategies.fold_ladder import FoldLadder


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=table_argument, nargs="+", required=True)
    parser.add_argument("--orders", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--finalists", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = [row for table in arguments.tables for row in compare(table, arguments)]
    Console(width=110).print(shown(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def compare(table: CurveTable, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row for every rule."""
    orders = random_orders(table, arguments.orders, arguments.seed)
    for rule in get_args(RaceRule):
        ladder = FoldLadder(table.epochs, table.folds, finalists=arguments.finalists, race=rule)
        races = np.array([race(table, ladder, order, arguments.workers) for order in orders])
        saved, errors, losses = races.T
        shares = {"folds_saved": saved.mean(), "error": errors.mean(), "loss_mean": losses.mean()}
        yield {"table": table.name, "rule": rule} | {name: float(share) for name, share in shares.items()}


def race(
    table: CurveTable, ladder: FoldLadder, order: npt.NDArray[np.int64], workers: int
) -> tuple[float, float, float]:
    """Return the share of the finals' folds that one race saved, whether its best finalist left, and what that lost."""
    study = Simulation(ladder, Budget(len(order)), workers, Replayed(table, order)).run()
    field = finalists(study, ladder)
    final = {trial.number: float(table.final[trial.configuration["row"]]) for trial in field}
    best = max(field, key=lambda trial: final[trial.number])
    trained = sum(trial.fold_epochs for trial in field)
    lost = final[best.number] - float(table.final[chosen(study, ladder)])
    return (
        1 - trained / (len(field) * ladder.rungs.whole),
        float(not best.has_trained(ladder.rungs.top)),
        max(0.0, lost),
    )


def shown(rows: list[dict[str, Any]]) -> Table:
    """Return the rows as a table for the terminal."""
    table = Table("table", "rule", "folds saved", "best finalist left", "F1 lost, mean")
    for row in rows:
        shares = (f"{row['folds_saved']:.0%}", f"{row['error']:.1%}", f"{row['loss_mean']:.4f}")
        table.add_row(row["table"], row["rule"], *shares)
    return table


if __name__ == "__main__":
    main()
