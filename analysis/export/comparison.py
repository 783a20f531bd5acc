"""Best single trial, ensemble and default recipe side by side, on out-of-fold and on holdout persons."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from studies.metrics import Metric, Probabilities, Targets, accuracy
from voting.out_of_fold.objective import Rows
from voting.promise.spread import drawn_rows, person_bootstrap
from voting.rules.joint import JOINT

RECIPE = "default recipe"
VOTERS = ("best single trial", "ensemble", RECIPE)


@dataclass(frozen=True)
class Outcome:
    """What every voter said about the same images: the out-of-fold ones, or the holdout's."""

    persons: npt.NDArray[np.str_]
    targets: Mapping[str, Targets]  # by task
    votes: Mapping[str, Mapping[str, Probabilities]]  # by voter, then task


@dataclass(frozen=True)
class Scored:
    """A metric's value with its spread: the standard deviation under the bootstrap over persons."""

    metric: str
    value: float
    spread: float
    accuracy: float
    ahead: tuple[float, float, float] | None = None  # of the recipe on the same persons, with its 90 % interval; score

    def spelled(self) -> str:
        """Return '0.612 ± 0.031'."""
        return f"{self.value:.3f} ± {self.spread:.3f}"


def compare(outcome: Outcome, metrics: Mapping[str, Metric]) -> dict[str, dict[str, Scored]]:
    """Return for every task, and for the joint classes if there are any, every voter's score."""
    return {task: _compared(outcome, task, metric) for task, metric in metrics.items() if task in outcome.targets}


def _compared(outcome: Outcome, task: str, metric: Metric) -> dict[str, Scored]:
    said = {voter: tasks[task] for voter, tasks in outcome.votes.items() if task in tasks}
    targets, persons, recipe = outcome.targets[task], outcome.persons, said.get(RECIPE)
    scored = {voter: _scored(targets, votes, persons, metric) for voter, votes in said.items()}
    for voter, votes in said.items():
        if recipe is not None and voter != RECIPE:
            scored[voter] = replace(scored[voter], ahead=_ahead(targets, (votes, recipe), persons, metric))
    return scored


def _ahead(
    targets: Targets, votes: tuple[Probabilities, Probabilities], persons: npt.NDArray[np.str_], metric: Metric
) -> tuple[float, float, float]:
    """Return by how much the first vote is ahead, and the bounds between which 90 % of drawings of persons see it."""

    def ahead(rows: Rows) -> float:
        one, other = (metric.score(targets[rows], each[rows]) for each in votes)
        return one - other

    low, high = np.quantile([ahead(rows) for rows in drawn_rows(persons)], [0.05, 0.95])
    return ahead(np.arange(len(targets))), float(low), float(high)


def comparison_table(
    out_of_fold: Mapping[str, Mapping[str, Scored]], holdout: Mapping[str, Mapping[str, Scored]]
) -> Table:
    """Return the comparison for the terminal."""
    table = Table(title="Scores ± spread over persons", title_justify="left")
    table.add_column("task")
    for column in ("who", "out of fold", "holdout"):
        table.add_column(column, no_wrap=True)
    for task, voters in out_of_fold.items():
        for voter in (name for name in VOTERS if name in voters):
            held = holdout.get(task, {}).get(voter)
            shown = held.spelled() if held else "no holdout"
            table.add_row(f"{task}, {voters[voter].metric}", voter, voters[voter].spelled(), shown)
        table.add_section()
    return table


def ahead_table(out_of_fold: Mapping[str, Mapping[str, Scored]], holdout: Mapping[str, Mapping[str, Scored]]) -> Table:
    """Return by how much the others are ahead of the recipe, on the same persons, for the terminal."""
    table = Table(title="Ahead of the default recipe, 90 % interval over the same persons", title_justify="left")
    for column in ("task", "who", "out of fold", "holdout"):
        table.add_column(column, no_wrap=True)
    for task, voters in out_of_fold.items():
        for voter in (name for name in VOTERS if name in voters and name != RECIPE):
            held = holdout.get(task, {}).get(voter)
            name = "joint" if task == JOINT else task
            table.add_row(name, voter, _spelled(voters[voter].ahead), _spelled(held.ahead if held else None))
        table.add_section()
    return table


def _spelled(ahead: tuple[float, float, float] | None) -> str:
    return "none" if ahead is None else "{:+.3f} ({:+.3f}, {:+.3f})".format(*ahead)


def as_numbers(compared: Mapping[str, Mapping[str, Scored]]) -> dict[str, Any]:
    """Return a comparison as plain numbers, for a manifest."""
    return {task: {voter: asdict(one) for voter, one in voters.items()} for task, voters in compared.items()}


def shared_rows(ids: Sequence[npt.NDArray[np.str_]]) -> list[npt.NDArray[np.int64]]:
    """Return for each list of ids the rows of those that all lists have, in the same order."""
    common = ids[0]
    for other in ids[1:]:
        common = np.intersect1d(common, other)
    return [np.searchsorted(one, common) for one in ids]


def _scored(targets: Targets, votes: Probabilities, persons: npt.NDArray[np.str_], metric: Metric) -> Scored:
    spread = person_bootstrap(metric.measure, targets, votes, persons)
    return Scored(metric.title, metric.measure(targets, votes), spread, accuracy(targets, votes))
