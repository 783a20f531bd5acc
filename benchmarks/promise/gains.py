"""What the models of all folds gain by voting together, against what two finalists gain: behind `voting/promise/gain.py`.

    python -m benchmarks.promise.gains

On the fresh persons of the recorded studies, for every finalist alone and for all of them together. The two numbers, fitted on
the other tasks, are judged on each task that is left out.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.promise.record import OUT, file_of
from benchmarks.promise.recorded import RecordedStudy, Votes, read_study
from benchmarks.promise.studies import set_studies, small_studies
from benchmarks.recording import METRIC
from studies.metrics import Targets
from voting.promise.gain import MEASURED, Averaging, pair_gain


@dataclass(frozen=True)
class Gains:
    """One study: what a pair of finalists gains, and what all folds' models gain, alone and where all finalists vote."""

    task: str
    finalists: int
    pair: float
    alone: float
    together: float

    def expected(self, averaging: Averaging) -> tuple[float, float]:
        """Return what is expected of one finalist and of all."""
        alone = averaging.alone * self.pair
        return alone, alone * (averaging.shared + (1 - averaging.shared) / self.finalists)


def gains_of(one: RecordedStudy) -> Gains:
    """Measure a study on its fresh persons."""
    said, targets = one.said_of_fresh, one.fresh.targets
    alone = np.mean([_gain(each, targets) for each in said])
    return Gains(one.study.task, len(said), pair_gain(one.pool), float(alone), _gain(said.mean(axis=0), targets))


def _gain(by_fold: Votes, targets: Targets) -> float:
    each = [METRIC.score(targets, fold) for fold in by_fold]
    return float(METRIC.score(targets, by_fold.mean(axis=0)) - np.mean(each))


def fitted(gains: Sequence[Gains]) -> Averaging:
    """Return the numbers that bring the means of what is expected to those of what was measured."""
    pair, alone, together = (
        float(np.mean([getattr(one, name) for one in gains])) for name in ("pair", "alone", "together")
    )
    ratio, finalists = together / alone, float(np.mean([one.finalists for one in gains]))
    return Averaging(alone / pair, (ratio - 1 / finalists) / (1 - 1 / finalists))


def fitted_without(task: str, gains: Sequence[Gains]) -> Averaging:
    """Return the numbers by all other tasks; the shipped ones if there is no other."""
    others = [one for one in gains if one.task != task]
    return fitted(others) if others else MEASURED


def gains_table(gains: Sequence[Gains]) -> Table:
    """Return by task what was measured, and what the other tasks and the shipped numbers would expect."""
    table = Table(title=f"{len(gains)} studies: gain of all folds' models", title_justify="left")
    for column in ("task", "a pair", "alone", "all", "fitted on others", "alone, all", "off by", "shipped", "off by"):
        table.add_column(column, justify="left" if column == "task" else "right")
    for task in dict.fromkeys(one.task for one in gains):
        own, others = [one for one in gains if one.task == task], fitted_without(task, gains)
        means = [np.mean([getattr(one, name) for one in own]) for name in ("pair", "alone", "together")]
        cells = [f"{mean:+.3f}" for mean in means]
        table.add_row(task, *cells, _spelled(others), *_judged(own, others), *_judged(own, MEASURED))
    table.caption = f"all: {_spelled(fitted(gains))}; shipped: {_spelled(MEASURED)}"
    return table


def _spelled(averaging: Averaging) -> str:
    return f"{averaging.alone:.2f}, {averaging.shared:.2f}"


def _judged(gains: Sequence[Gains], averaging: Averaging) -> tuple[str, str]:
    expected = np.array([one.expected(averaging) for one in gains])
    measured = np.array([(one.alone, one.together) for one in gains])
    return ", ".join(f"{one:+.3f}" for one in expected.mean(axis=0)), f"{np.abs(expected - measured).mean():.3f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=OUT)
    arguments = parser.parse_args()
    every = (*small_studies(), *set_studies())
    there = [study for study in every if file_of(arguments.recorded, study).exists()]
    Console(width=140).print(gains_table([gains_of(read_study(arguments.recorded, study)) for study in there]))


if __name__ == "__main__":
    main()
