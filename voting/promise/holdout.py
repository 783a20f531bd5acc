"""What the holdout says: the score of the packed ensemble, and what the models of all folds gain by voting together."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from studies.metrics import Metric, Probabilities, Targets
from voting.out_of_fold.objective import Rows
from voting.promise.estimate import Measured
from voting.promise.spread import person_bootstrap, spread_over_persons


@dataclass(frozen=True)
class Held:
    """What persons that no trial saw say of the ensemble; scores, of which more is better."""

    score: Measured
    persons: int
    gain: Measured | None  # of all folds' models over those of one; None where the members' folds do not match


def held_out(
    metric: Metric,
    targets: Targets,
    persons: npt.NDArray[np.str_],
    votes: Probabilities,
    folds: Sequence[Probabilities],
) -> Held:
    """Return what a holdout says of decided votes, and of those that the models of one fold would give."""
    count = len(np.unique(persons))
    score = Measured(metric.score(targets, votes), person_bootstrap(metric.score, targets, votes, persons))
    if len(folds) < 2:
        return Held(score, count, None)

    def gain(rows: Rows) -> float:
        alone = np.mean([metric.score(targets[rows], one[rows]) for one in folds])
        return float(metric.score(targets[rows], votes[rows]) - alone)

    spread = max(spread_over_persons(gain, persons), 1 / (count + 2))
    return Held(score, count, Measured(gain(np.arange(len(targets))), spread))
