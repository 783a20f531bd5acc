"""What the holdout says: the score of the packed ensemble, and what the models of all folds gain by voting together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studies.metrics import Metric, Probabilities, Targets
from voting.out_of_fold.objective import Rows
from voting.promise.estimate import Measured
from voting.promise.spread import drawn_rows

_MOST = 0.95  # of a correlation: what two hundred draws say is not surer


@dataclass(frozen=True)
class Held:
    """What persons that no trial saw say of the ensemble; scores, of which more is better."""

    score: Measured
    persons: int
    gain: Measured | None  # of all folds' models over those of one; None where the members' folds do not match
    correlation: float = 0.0  # of both, persons drawn anew


def held_out(
    metric: Metric,
    targets: Targets,
    persons: npt.NDArray[np.str_],
    votes: Probabilities,
    folds: Sequence[Probabilities],
) -> Held:
    """Return what a holdout says of decided votes, and of those that the models of one fold would give."""
    count, everyone = len(np.unique(persons)), np.arange(len(targets))

    def score_and_gain(rows: Rows) -> tuple[float, float]:
        score = metric.score(targets[rows], votes[rows])
        return score, score - float(np.mean([metric.score(targets[rows], one[rows]) for one in folds] or [score]))

    draws = np.array([score_and_gain(rows) for rows in drawn_rows(persons)])
    values, spreads = score_and_gain(everyone), draws.std(axis=0)
    score = Measured(values[0], float(spreads[0]))
    if len(folds) < 2:
        return Held(score, count, None)
    gain = Measured(values[1], max(float(spreads[1]), 1 / (count + 2)))
    correlation = float(np.corrcoef(draws.T)[0, 1]) if spreads.min() > 0 else 0.0
    return Held(score, count, gain, min(correlation, _MOST))
