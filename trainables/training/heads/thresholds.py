"""Thresholds of a predicted number, tuned for a metric on out-of-fold predictions.

A regression shrinks towards the mean, so that the numbers it predicts cross the true borders too late: of people who are at most
sixty, nobody is predicted to be sixty and over. Where a class begins is then better read off predictions whose truth is known.
"""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float32]
Score = Callable[[tuple[float, ...]], float]  # thresholds in, more is better
_CANDIDATES = 40  # quantiles of the predicted numbers
_ROUNDS = 3


def tuned(numbers: Numbers, borders: Sequence[float], score: Score) -> tuple[float, ...]:
    """Return rising thresholds whose score is best, by search along one after the other among quantiles of the numbers.

    Begins at the borders and keeps them where nothing else is better.
    """
    if not len(numbers):
        return tuple(borders)
    candidates = np.unique(np.quantile(numbers, np.linspace(0.02, 0.98, _CANDIDATES)))
    best = tuple(map(float, borders))
    reached = score(best)
    for _ in range(_ROUNDS):
        for place in range(len(best)):
            for candidate in candidates:
                tried = (*best[:place], float(candidate), *best[place + 1 :])
                if list(tried) == sorted(set(tried)) and (value := score(tried)) > reached:
                    best, reached = tried, value
    return best


def halves(persons: npt.NDArray[np.int64]) -> list[npt.NDArray[np.bool_]]:
    """Return two masks of images that share no person: thresholds of one half are tuned on the other."""
    order = {person: place for place, person in enumerate(np.unique(persons))}
    even = np.array([order[person] % 2 == 0 for person in persons])
    return [even, ~even]


def cross_fitted(
    numbers: Numbers,
    persons: npt.NDArray[np.int64],
    borders: Sequence[float],
    scores: Callable[[npt.NDArray[np.bool_]], Score],
) -> list[tuple[npt.NDArray[np.bool_], tuple[float, ...]]]:
    """Return for each half of the persons its mask, and thresholds that were tuned on the other half."""
    first, second = halves(persons)
    if not first.any() or not second.any():
        return [(np.ones(len(numbers), bool), tuple(borders))]
    return [(mask, tuned(numbers[other], borders, scores(other))) for mask, other in ((first, second), (second, first))]
