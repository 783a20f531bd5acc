"""Weights by an evolution strategy.

Purucker, Beel, "CMA-ES for Post Hoc Ensembling in AutoML: A Great Success and Salvageable Failure", AutoML 2023
(arXiv 2307.00286): better than greedy selection on some metrics, overfitting on others. So it is chosen only where a
cross-fitted score says so. The strategy is CMA-ES as in the package `cmaes`.
"""

import numpy as np
from cmaes import CMA

from voting.out_of_fold.objective import Rows
from voting.out_of_fold.pool import Pool
from voting.rules.vote import Weights
from voting.selection.best import best

_GENERATIONS, _POPULATION, _STEP = 12, 8, 0.2
_LEAST = 0.02  # a smaller share has no say


def evolution(pool: Pool, size: int, seed: int = 0) -> Weights:
    """Return the best weights found for the `size` best candidates, from equal ones on; never worse than those where seen."""
    chosen, found = pool.ranked[:size], best(pool, size)
    if len(chosen) == 1:
        return found
    strategy = CMA(mean=found[chosen], sigma=_STEP, seed=seed, population_size=_POPULATION)
    highest = pool.score(found)
    for _ in range(_GENERATIONS):
        asked = [strategy.ask() for _ in range(_POPULATION)]
        shares = [_spread(one, chosen, pool.size) for one in asked]
        scores = pool.objective.scores(np.tensordot(shares, pool.alone, axes=1))
        if scores.max() > highest:
            found, highest = shares[int(np.argmax(scores))], float(scores.max())
        strategy.tell([(one, -score) for one, score in zip(asked, scores, strict=True)])
    return found


def _spread(asked: Weights, chosen: Rows, candidates: int) -> Weights:
    """Return weights of all candidates that sum to one; negative ones count as none, small ones are left out."""
    positive = np.clip(asked, 0, None)
    kept = np.where(positive >= _LEAST * positive.sum(), positive, 0)
    weights: Weights = np.zeros(candidates)
    weights[chosen] = kept / kept.sum() if kept.sum() > 0 else 1 / len(chosen)
    return weights
