"""Who would have gone on from a rung, had other persons been drawn: eliminations judged again by the looks that were kept.

What cannot be redone: a trial that was eliminated has no later predictions, so it cannot take the place of one that would have
been. One that would have been eliminated only leaves the choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studies.metrics import Metric, Targets
from voting.out_of_fold.objective import OwnMetric, Rows
from voting.out_of_fold.pool import Said


@dataclass(frozen=True, eq=False)
class Rung:
    """What all trials that rested on a rung said there about the persons of its folds."""

    said: Said  # trials x images x classes
    candidates: Rows  # of every trial the position among the candidates, -1 if it was eliminated here or later
    went_on: int
    targets: Targets
    persons: Rows  # numbered as in the pool
    metric: Metric

    def survivors(self, rows: Rows) -> npt.NDArray[np.bool_]:
        """Tell of every trial whether it is among those who go on, judged on some images."""
        objective = OwnMetric(self.metric, self.targets[rows])
        scores = np.array([objective.score(one[rows]) for one in self.said])
        survives = np.zeros(len(scores), bool)
        survives[np.argsort(-scores, kind="stable")[: self.went_on]] = True
        return survives


def still_candidates(rungs: Sequence[Rung], drawn: Rows, candidates: int) -> Rows:
    """Return the positions of the candidates that no rung eliminates when these persons are drawn, some perhaps twice.

    All of them where none would be left.
    """
    out: set[int] = set()
    for rung in rungs:
        rows = rows_of_persons(rung.persons, drawn)
        if len(rows):
            gone = rung.candidates[~rung.survivors(rows)]
            out |= set(gone[gone >= 0].tolist())
    left = [one for one in range(candidates) if one not in out]
    return np.array(left or range(candidates), np.int64)


def rows_of_persons(persons: Rows, drawn: Rows) -> Rows:
    """Return the rows of drawn persons, as often as each was drawn."""
    return rows_of_draws(persons, drawn)[0]


def rows_of_draws(persons: Rows, drawn: Rows) -> tuple[Rows, Rows]:
    """Return the rows of drawn persons, and of which draw each is: one who is drawn twice counts as two."""
    order = np.argsort(persons, kind="stable")
    first = np.searchsorted(persons[order], drawn, side="left")
    count = np.searchsorted(persons[order], drawn, side="right") - first
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    rows: Rows = order[np.repeat(first, count) + within]
    return rows, np.repeat(np.arange(len(drawn)), count)
