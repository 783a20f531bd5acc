"""Greedy ensemble selection with replacement.

Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble Selection from Libraries of Models", ICML 2004: begin with nobody, and add again
and again the candidate with which the vote scores best; one that is added twice weighs twice. Of all votes on the way, the best
is taken. So it is never worse than the best candidate on the images that it has seen.
"""

import numpy as np

from voting.out_of_fold.pool import Pool
from voting.rules.vote import Weights

_ROUNDS = 15


def greedy(pool: Pool, size: int, rounds: int = _ROUNDS) -> Weights:
    """Return weights of at most `size` candidates, multiples of one over the rounds that were taken.

    Ties between candidates go to the earlier, between rounds to the fewer.
    """
    counts, total = np.zeros(pool.size), np.zeros(pool.said.shape[1:])
    taken, highest = counts, -np.inf
    for votes in range(1, rounds + 1):
        open_to = np.arange(pool.size) if np.count_nonzero(counts) < size else np.flatnonzero(counts)
        scores = pool.objective.scores((total + pool.alone[open_to]) / votes)
        winner = open_to[int(np.argmax(scores))]
        counts, total = counts + np.eye(pool.size)[winner], total + pool.alone[winner]
        if scores.max() > highest:
            taken, highest = counts, float(scores.max())
    weights: Weights = taken / taken.sum()
    return weights
