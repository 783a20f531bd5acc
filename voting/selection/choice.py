"""Which method chooses the voters: the one whose cross-fitted score is highest, ties to the fewer voters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voting.out_of_fold.cross_fitting import CrossFitting
from voting.out_of_fold.paired import standard_error
from voting.out_of_fold.pool import Pool
from voting.rules.vote import Votes, Weights
from voting.selection.methods import Method

# Standard errors that more voters must be ahead by; python -m benchmarks.promise.margins says what others cost.
TIE = 0.5


@dataclass(frozen=True, eq=False)
class Tried:
    """What a method came to."""

    method: Method
    weights: Weights  # fitted on all persons
    votes: Votes  # cross-fitted
    score: float  # of these; more is better
    seen: float  # what the weights score on the persons they were fitted on

    @property
    def voters(self) -> int:
        return int(np.count_nonzero(self.weights))


def tried(pool: Pool, methods: Sequence[Method]) -> list[Tried]:
    """Return what every method comes to, in their order."""
    fitting = CrossFitting.of(pool)
    return [_tried(fitting, method) for method in methods]


def _tried(fitting: CrossFitting, method: Method) -> Tried:
    votes, weights = fitting.votes(method.fit), method.fit(fitting.pool)
    return Tried(method, weights, votes, fitting.pool.objective.score(votes), fitting.pool.score(weights))


def chosen(pool: Pool, found: Sequence[Tried], tie: float = TIE) -> Tried:
    """Return the method to take: of those that the best is not ahead of by more than noise, the one with the fewest voters."""
    highest = max(found, key=lambda one: (one.score, -one.voters))
    for one in sorted(found, key=lambda one: (one.voters, -one.score)):
        noise = standard_error(
            highest.votes, one.votes, pool.targets, pool.persons, of_classes=pool.objective.of_classes
        )
        if one.score >= highest.score - tie * noise:
            return one
    return highest
