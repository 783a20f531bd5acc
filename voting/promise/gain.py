"""What voting with the models of all folds is expected to gain over the one model that judged out of fold.

Out of fold nobody is judged by two folds' models of one trial, but everybody by all finalists. What two of them gain by voting
together says how much chance there is to average away in a study. The models of all folds differ in what they were trained on,
besides, which is the same for all finalists of a fold. How much more they gain than a pair does, and how much of that is left
where many finalists vote, was measured where both can be had: python -m benchmarks.promise.gains
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from math import sqrt

import numpy as np

from voting.ensemble.fit import Ensemble
from voting.ensemble.tasks import Tasks
from voting.out_of_fold.pool import Pool, distinct, equal_weights
from voting.promise.estimate import Measured
from voting.rules.joint import JOINT
from voting.rules.vote import Weights

_UNSURE = 0.5  # of the gain is its standard deviation, and at least
_LEAST = 0.01
_UNKNOWN = Measured(0.03, 0.03)  # with a single finalist
_COMPARED = 6  # the best finalists


@dataclass(frozen=True)
class Averaging:
    """What the models of all folds gain, for what a pair of finalists gains."""

    alone: float  # times a pair's is the gain of one trial
    shared: float  # of that is left for many voters


MEASURED = Averaging(1.9, 0.45)


def expected_gains(
    tasks: Tasks, packed: Mapping[str, Ensemble], trained: Mapping[str, float] | None = None
) -> dict[str, Measured]:
    """Return what to expect for every task, and for the joint classes, to which every task contributes.

    `trained` is the share of what all folds' models gain that the packed ones do (see `share_of_gain`), 1 where it is not given.
    """
    shares = trained or {}

    def gain(task: str, pool: Pool) -> Measured:
        expected, share = expected_gain(pool, packed[task].weights), shares.get(task, 1.0)
        return Measured(share * expected.value, max(_LEAST, share * expected.spread))

    gains = {task: gain(task, pool) for task, pool in tasks.pools.items()}
    if not tasks.joint:
        return gains
    parts = [gain(task, pool) for task, pool in tasks.objectives(tasks.pools).items()]
    spread = sqrt(sum(part.spread**2 for part in parts))
    return {**gains, JOINT: Measured(sum(part.value for part in parts), spread)}


def share_of_gain(models: float, folds: int) -> float:
    """Return the share of what the models of all folds gain that fewer models do; a single model gains nothing.

    What a mean of n alike models averages away is 1 - 1/n of what differs between them.
    """
    return (1 - 1 / models) / (1 - 1 / folds) if folds > 1 else 0.0


def expected_gain(pool: Pool, weights: Weights, averaging: Averaging = MEASURED) -> Measured:
    """Return what to expect of an ensemble of a pool's candidates."""
    different = pool.only(distinct(pool))
    if different.size < 2:
        return _UNKNOWN
    voters = float(weights.sum() ** 2 / np.square(weights).sum())
    value = averaging.alone * max(0.0, pair_gain(different)) * (averaging.shared + (1 - averaging.shared) / voters)
    return Measured(value, max(_LEAST, _UNSURE * value))


def pair_gain(pool: Pool) -> float:
    """Return by how much a vote of two of the best candidates is ahead of their mean, on average over the pairs."""
    best = [int(one) for one in pool.ranked[:_COMPARED]]
    ahead = [
        pool.score(equal_weights(pool.size, pair)) - float(pool.scores[pair].mean())
        for pair in map(list, combinations(best, 2))
    ]
    return float(np.mean(ahead))
