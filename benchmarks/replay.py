"""Which strategy spends least for what it finds: every one of them on recorded learning curves.

    python -m benchmarks.replay --table benchmarks/tables/digits.jsonl --orders 400 --workers 2 --json rows.json

Every order is another random choice and sequence of configurations, given to asynchronous workers that take the
recorded times. Cost is in fold-epochs and as a share of training everything; regret is what the best
configuration of an order scores above the chosen one, over all folds. There is no recipe in a table.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from analysis.reading.rungs import RungRow, rung_table, rungs_shown
from benchmarks.curves import CurveTable, Replayed, table_argument
from schedulers.spending.budget import Budget
from schedulers.spending.forecast import Forecasts, seconds_left
from schedulers.spending.simulation import Simulation
from schedulers.strategies import STRATEGIES, settings_of
from schedulers.strategies.survey import Survey
from schedulers.strategy import Strategy
from studies.state.ranking import best_trial
from studies.state.study_state import StudyState

CONFIGURATIONS = 32  # an order's
console = Console(width=150)


@dataclass(frozen=True)
class Outcome:
    """One replayed search."""

    cost: int
    regret: float
    rungs: tuple[RungRow, ...]
    time_left_error: float  # of the estimate half way, as a share of what was really left
    came_between: bool  # the end came within what the forecasts half way had wandered


def main() -> None:
    """Replay all strategies, print the tables and write the rows."""
    arguments = parse_arguments()
    table = arguments.table
    rows = list(compare(table, arguments))
    console.print(comparison(rows, table, arguments))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


def compare(table: CurveTable, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row of results for every strategy."""
    orders = random_orders(table, arguments.orders, arguments.seed)
    for name, ladder in ladders(table, arguments.finalists, arguments.race).items():
        outcomes = [replay(table, ladder, order, arguments.workers) for order in orders]
        yield {
            "strategy": name,
            "finalists": ladder.finalists,
            **summary(outcomes, len(orders[0]) * ladder.rungs.whole),
        }
        if name == "fold_ladder":
            console.print(rungs_shown(average([outcome.rungs for outcome in outcomes]), ladder.rungs))


def random_orders(table: CurveTable, count: int, seed: int) -> list[npt.NDArray[np.int64]]:
    """Return so many random sequences of a table's configurations, as many of them as an order has."""
    rng = np.random.default_rng(seed)
    contenders = min(CONFIGURATIONS, len(table.scores))
    return [rng.permutation(len(table.scores))[:contenders] for _ in range(count)]


def ladders(table: CurveTable, finalists: int, race: str) -> dict[str, Strategy]:
    """Return what is compared: every strategy as it comes, and the survey with a longer look."""
    shared: dict[str, Any] = {"epochs": table.epochs, "folds": table.folds, "finalists": finalists, "race": race}
    plain = {
        name: strategy(**{key: shared[key] for key in shared if key in ("epochs", "folds", *settings_of(strategy))})
        for name, strategy in STRATEGIES.items()
    }
    longer = {f"survey of {look} epochs": Survey(**shared, grace_period=look) for look in (2, 3)}
    return {**plain, **longer}


def replay(table: CurveTable, ladder: Strategy, order: npt.NDArray[np.int64], workers: int) -> Outcome:
    """Return what one strategy spends and finds on one order."""
    budget, estimates = Budget(len(order)), list[tuple[float, float]]()

    def watch(study: StudyState, now: float) -> None:
        if study.version % 8 == 0 and (left := seconds_left(study, ladder, budget, workers, now)):
            estimates.append((now, left))

    study = Simulation(ladder, budget, workers, Replayed(table, order), watch=watch).run()
    regret = float(table.final[order].max() - table.final[chosen(study, ladder)])
    return Outcome(
        study.fold_epochs,
        regret,
        tuple(rung_table(study, ladder.rungs)),
        half_way_error(estimates),
        came_between(estimates),
    )


def half_way_error(estimates: list[tuple[float, float]]) -> float:
    """Return how far the estimate at half time was off, as a share of the time that was left."""
    end = max((now for now, _ in estimates), default=0.0)
    now, left = min(estimates, key=lambda estimate: abs(estimate[0] - end / 2), default=(end, 0.0))
    return abs(left - (end - now)) / (end - now) if now < end else float("nan")


def came_between(estimates: list[tuple[float, float]]) -> bool:
    """Tell whether the end lay where the forecasts up to half time said it might."""
    end, forecasts = max((now for now, _ in estimates), default=0.0), Forecasts()
    least, most, at = 0.0, 0.0, 0.0
    for now, left in estimates:
        if now <= end / 2:
            forecasts.take(now, left)
            (least, most), at = forecasts.between(now, left), now
    return least <= end - at <= most


def chosen(study: StudyState, ladder: Strategy) -> int:
    """Return the table's row of the best trial at the deepest rung reached."""
    found = best_trial(study, ladder.rungs)
    assert found is not None, "a replay trains something"
    return int(found[0].configuration["row"])


def summary(outcomes: list[Outcome], whole: int) -> dict[str, float]:
    """Return cost and regret over all orders."""
    costs, regrets = [outcome.cost for outcome in outcomes], [outcome.regret for outcome in outcomes]
    return {
        "cost_median": float(np.median(costs)),
        "cost_share": float(np.median(costs) / whole),
        "regret_median": float(np.median(regrets)),
        "regret_p90": float(np.quantile(regrets, 0.9)),
        "came_between": float(np.mean([outcome.came_between for outcome in outcomes])),
        "time_left_error": float(np.nanmedian([outcome.time_left_error for outcome in outcomes])),
    }


def average(tables: list[tuple[RungRow, ...]]) -> list[RungRow]:
    """Return the mean of many rung tables, row by row; agreement over those that have one."""

    def mean(values: list[float]) -> float:
        return float(np.mean(values)) if values else float("nan")

    averaged = []
    for rows in zip(*tables, strict=True):
        cells = {
            key: mean([value for row in rows if (value := getattr(row, key)) is not None])
            for key in asdict(rows[0])
            if key != "rung"
        }
        averaged.append(RungRow(rung=rows[0].rung, **cells))
    return averaged


def comparison(rows: list[dict[str, Any]], table: CurveTable, arguments: argparse.Namespace) -> Table:
    """Return the results as a table for the terminal."""
    title = f"{table.name}: {arguments.orders} orders of {CONFIGURATIONS}, {arguments.workers} workers"
    shown = Table(title=title, title_justify="left")
    for column in (
        "strategy",
        "finalists",
        "fold-epochs",
        "share of full",
        "regret, median",
        "regret, 90 %",
        "time left, error",
        "end in between",
    ):
        shown.add_column(column, justify="left" if column == "strategy" else "right")
    for row in rows:
        figures = [f"{row[key]:.3f}" for key in ("cost_share", "regret_median", "regret_p90")]
        figures.append(f"{row['time_left_error']:.0%}")
        figures.append(f"{row['came_between']:.0%}")
        shown.add_row(row["strategy"], str(row["finalists"]), f"{row['cost_median']:.0f}", *figures)
    return shown


def parse_arguments() -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=table_argument, required=True)
    parser.add_argument("--orders", type=int, default=400)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--finalists", type=int, default=3)
    parser.add_argument("--race", default="worst_fold", choices=["none", "worst_fold"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
