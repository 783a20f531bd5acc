"""Do promises hold? What exports of the recorded studies promise, against thousands of fresh persons.

    python -m benchmarks.promise.coverage --rows benchmarks/rows/promise.jsonl --plot docs/images/promises.svg

Needs what `benchmarks.promise.record` wrote. What voting with all folds' models gains is expected as the other tasks show it
(`benchmarks.promise.gains`). Once without a holdout and once with one of a quarter as many persons, who are taken
from the fresh ones and are no part of the truth then. Studies that are in the rows are not worked out again.
"""

import argparse
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.promise.gains import fitted_without, gains_of
from benchmarks.promise.plot import write_plot
from benchmarks.promise.record import OUT, file_of
from benchmarks.promise.recorded import RecordedStudy, read_study
from benchmarks.promise.studies import FRESH, SmallStudy, small_studies
from benchmarks.recording import append_row, read_rows
from voting.ensemble.fit import Ensemble, Wanted
from voting.out_of_fold.objective import Rows
from voting.promise.bootstrap import RESAMPLES, resampled
from voting.promise.estimate import Estimate, Seen, estimated, interval
from voting.promise.gain import Averaging, expected_gain

Row = dict[str, Any]
WANTED = Wanted()


def main() -> None:
    """Work out what is missing and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=OUT)
    parser.add_argument("--rows", type=Path, required=True)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    done = {(row["task"], row["seed"]) for row in read_rows(arguments.rows)}
    there = [study for study in small_studies() if file_of(arguments.recorded, study).exists()]
    missing = [study for study in there if (study.task, study.seed) not in done]
    gains = [gains_of(read_study(arguments.recorded, study)) for study in there] if missing else []
    others = [fitted_without(study.task, gains) for study in missing]
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        for row in pool.map(partial(promised, arguments.recorded), missing, others):
            append_row(arguments.rows, row)
    rows = read_rows(arguments.rows)
    Console(width=120).print(coverage_table(rows))
    if arguments.plot:
        write_plot(rows, arguments.plot)


def promised(recorded: Path, study: SmallStudy, averaging: Averaging) -> Row:
    """Return what an export of a study promises, and what is true."""
    held, others = np.split(np.arange(FRESH), [study.persons // 4])
    return judged(read_study(recorded, study), averaging, Fresh(held, others))


@dataclass(frozen=True, eq=False)
class Fresh:
    """Which fresh persons are the holdout, and which the truth."""

    held: Rows
    others: Rows


def judged(one: RecordedStudy, averaging: Averaging, fresh: Fresh, resamples: int = RESAMPLES) -> Row:
    """Return the promises of a study without and with some fresh persons as a holdout, against other ones."""
    packed = {one.study.task: one.tasks.explain(WANTED)[one.study.task].ensemble}
    ensemble, persons = packed[one.study.task], one.tasks.persons
    draws = resampled(one.tasks, packed, WANTED, one.study.seed, resamples)[one.study.task]
    naive = one.pool.objective.score(ensemble.decided(one.pool))
    seen = Seen(naive, persons, draws, expected_gain(one.pool, ensemble.weights, averaging))
    truth_rows = one.rows_of(fresh.others)
    truth = one.truth(ensemble, truth_rows)
    return {
        **vars(one.study),
        **vars(averaging),
        "method": ensemble.method,
        "truth": truth,
        "single": one.truth(_best(one), truth_rows),
        "gain": truth - float(np.mean(one.of_one_fold(ensemble, truth_rows))),
        "without": _spelled(estimated(seen, None)),
        "with": _spelled(estimated(seen, one.holdout(ensemble, fresh.held))),
    }


def _best(one: RecordedStudy) -> Ensemble:
    return one.tasks.fit(one.tasks.everyone(), Wanted("single"))[one.study.task]


def _spelled(estimate: Estimate) -> Row:
    low, high = estimate.interval
    naive_low, naive_high = interval(estimate.naive)
    return {
        "naive": estimate.naive.value,
        "naive_width": naive_high - naive_low,
        "optimism": estimate.optimism,
        "score": estimate.combined.value,
        "low": max(low, 0.0),
        "high": min(high, 1.0),
    }


def coverage_table(rows: Sequence[Row]) -> Table:
    """Return how often promises hold, how wide they are, and how far their points are off."""
    table = Table(title=f"{len(rows)} studies, {FRESH} fresh persons", title_justify="left")
    table.add_column("promise")
    for column in ("covered", "width, median", "of the naive", "bias of the point", "naive bias", "of luck alone"):
        table.add_column(column, justify="right")
    for name in ("without", "with"):
        table.add_row(f"{name} a holdout", *_figures(rows, name))
    gains = np.array([row["gain"] for row in rows])
    table.caption = (
        f"All folds' models over one fold's: {gains.mean():+.4f} ± {gains.std():.4f};"
        f" the ensemble over the best single: {np.mean([row['truth'] - row['single'] for row in rows]):+.4f}"
    )
    return table


def _figures(rows: Sequence[Row], name: str) -> list[str]:
    covered = [row[name]["low"] <= row["truth"] <= row[name]["high"] for row in rows]
    widths = [row[name]["high"] - row[name]["low"] for row in rows]
    ratios = [width / row[name]["naive_width"] for width, row in zip(widths, rows, strict=True)]
    return [
        f"{sum(covered)} of {len(covered)} ({np.mean(covered):.0%})",
        f"{np.median(widths):.3f}",
        f"{np.median(ratios):.2f}",
        f"{_bias(rows, lambda row: row[name]['score']):+.4f}",
        f"{_bias(rows, lambda row: row[name]['naive']):+.4f}",
        f"{np.mean([row[name]['optimism'] for row in rows]):+.4f}",
    ]


def _bias(rows: Sequence[Row], point: Callable[[Row], float]) -> float:
    return float(np.mean([point(row) - row["truth"] for row in rows]))


if __name__ == "__main__":
    main()
