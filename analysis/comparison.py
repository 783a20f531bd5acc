"""Best single trial, ensemble and default recipe side by side, on out-of-fold and on holdout persons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table
from sklearn.metrics import accuracy_score, f1_score

from analysis.spread import person_bootstrap
from trainables.metrics import Targets

VOTERS = ("best single trial", "ensemble", "default recipe")
JOINT = "mask x gender x age"


@dataclass(frozen=True)
class Outcome:
    """What every voter said about the same images: the out-of-fold ones, or the holdout's."""

    persons: npt.NDArray[np.str_]
    targets: Mapping[str, Targets]  # by task
    predicted: Mapping[str, Mapping[str, Targets]]  # by voter, then task


@dataclass(frozen=True)
class Scored:
    """A score with its spread: the standard deviation under the bootstrap over persons."""

    macro_f1: float
    spread: float
    accuracy: float

    def spelled(self) -> str:
        """Return '0.612 ± 0.031'."""
        return f"{self.macro_f1:.3f} ± {self.spread:.3f}"


def compare(outcome: Outcome, class_counts: Mapping[str, int]) -> dict[str, dict[str, Scored]]:
    """Return for every task, and for the joint classes if there are any, every voter's score."""
    return {
        task: {
            voter: _scored(outcome.targets[task], tasks[task], outcome.persons, count)
            for voter, tasks in outcome.predicted.items()
            if task in tasks
        }
        for task, count in class_counts.items()
        if task in outcome.targets
    }


def comparison_table(
    out_of_fold: Mapping[str, Mapping[str, Scored]], holdout: Mapping[str, Mapping[str, Scored]]
) -> Table:
    """Return the comparison for the terminal."""
    table = Table(title="Macro F1 ± spread over persons", title_justify="left")
    for column in ("task", "who", "out of fold", "holdout"):
        table.add_column(column, no_wrap=True)
    for task, voters in out_of_fold.items():
        for voter in (name for name in VOTERS if name in voters):
            held = holdout.get(task, {}).get(voter)
            table.add_row(task, voter, voters[voter].spelled(), held.spelled() if held else "no holdout")
        table.add_section()
    return table


def as_numbers(compared: Mapping[str, Mapping[str, Scored]]) -> dict[str, Any]:
    """Return a comparison as plain numbers, for a manifest."""
    return {task: {voter: vars(one) for voter, one in voters.items()} for task, voters in compared.items()}


def shared_rows(ids: Sequence[npt.NDArray[np.str_]]) -> list[npt.NDArray[np.int64]]:
    """Return for each list of ids the rows of those that all lists have, in the same order."""
    common = ids[0]
    for other in ids[1:]:
        common = np.intersect1d(common, other)
    return [np.searchsorted(one, common) for one in ids]


def _scored(targets: Targets, predicted: Targets, persons: npt.NDArray[np.str_], classes: int) -> Scored:
    f1 = f1_score(targets, predicted, labels=range(classes), average="macro", zero_division=0)
    spread = person_bootstrap(targets, predicted, persons, classes)
    return Scored(float(f1), spread, float(accuracy_score(targets, predicted)))
