"""The order in which configurations are worth trying, from what each scored on many sets. Pure calculation.

Greedy: the next configuration is the one that most raises the mean over the sets of the best score so far (Winkelmolen et al.,
"Practical and Sample Efficient Zero-Shot HPO", 2020; Salinas and Erickson, "TabRepo", AutoML 2024).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]  # sets x configurations, more is better


def greedy_order(scores: Scores) -> list[int]:
    """Return all configurations in greedy order; where none raises the best any more, the best mean comes first."""
    return list(_chosen(scores))


def _chosen(scores: Scores) -> Iterator[int]:
    best, means = np.full(len(scores), -np.inf), scores.mean(axis=0)
    left = list(range(scores.shape[1]))
    while left:
        gains = [(float(np.maximum(best, scores[:, one]).mean()), float(means[one]), -one) for one in left]
        chosen = left[max(range(len(left)), key=gains.__getitem__)]
        left.remove(chosen)
        best = np.maximum(best, scores[:, chosen])
        yield chosen


def ranked(scores: Scores) -> Scores:
    """Return every set's scores as places from 0 (worst) to 1 (best), equal ones sharing theirs: sets then count alike."""
    places = np.array([[(row < one).sum() + ((row == one).sum() - 1) / 2 for one in row] for row in scores])
    return np.asarray(places / max(1, scores.shape[1] - 1), np.float64)
