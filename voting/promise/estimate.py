"""The promise as a calculation: what was seen, less what choosing seems to gain, plus what voting of all folds' models gains.

Out of fold every person is judged by the model of one fold; new persons are judged by those of all folds together. What that
gains is expected from what finalists gain together, and measured on the holdout, where both can be had. A holdout's score is a
second estimate, of other persons. All are put together by generalised least squares (Aitken, 1935), for a holdout's score and
what it says of the gain are of the same persons.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from voting.promise.bootstrap import Resampled

if TYPE_CHECKING:
    from voting.promise.holdout import Held

LEVEL = 0.9
_UNSURE = 0.5  # of what choosing seems to gain is its standard deviation
_WITH_GAIN = 4  # figures, where the holdout says something about the gain, too


@dataclass(frozen=True)
class Measured:
    """A figure with its standard deviation."""

    value: float
    spread: float


@dataclass(frozen=True)
class Estimate:
    """A score on new persons, more is better, with what it is made of."""

    naive: Measured  # out of fold, as it was seen
    optimism: float  # what choosing seems to gain and does not
    gain: Measured  # of voting with the models of all folds, by all that is known
    holdout: Measured | None
    combined: Measured

    @property
    def corrected(self) -> Measured:
        """Return what the out-of-fold predictions alone promise."""
        return _corrected(self.naive, self.optimism, self.gain)

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 90 % interval."""
        return interval(self.combined)


def interval(measured: Measured, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval of a figure by the normal distribution."""
    reach = float(norm.ppf((1 + level) / 2)) * measured.spread
    return measured.value - reach, measured.value + reach


@dataclass(frozen=True)
class Seen:
    """What out-of-fold predictions say of an ensemble."""

    score: float
    persons: int  # who they are of
    resamples: Resampled
    gain: Measured  # that is expected of voting with the models of all folds


def estimated(seen: Seen, held: "Held | None") -> Estimate:
    """Return the estimate of a score from out-of-fold persons, and from a holdout.

    A spread is never below that of one more person (Laplace's rule of succession), and a holdout's never below what so few
    persons vary by out of fold: where all are right, that is no certainty.
    """
    first, optimism = Measured(seen.score, max(seen.resamples.spread, 1 / (seen.persons + 2))), seen.resamples.optimism
    if held is None:
        return Estimate(first, optimism, seen.gain, None, _corrected(first, optimism, seen.gain))
    second = Measured(held.score.value, max(held.score.spread, first.spread * sqrt(seen.persons / held.persons)))
    figures = [
        (_without_luck(first, optimism), (1.0, -1.0)),
        (seen.gain, (0.0, 1.0)),
        (second, (1.0, 0.0)),
        *([(held.gain, (0.0, 1.0))] if held.gain else []),
    ]
    combined, gain = _together(figures, held.correlation)
    return Estimate(first, optimism, gain, second, combined)


def _together(figures: Sequence[tuple[Measured, tuple[float, float]]], correlation: float) -> tuple[Measured, Measured]:
    """Return the score on new persons and the gain that explain figures best, each of a sum of the two.

    The last two figures, if there are four, are correlated.
    """
    spreads = np.array([figure.spread for figure, _ in figures])
    alike = np.eye(len(figures))
    if len(figures) == _WITH_GAIN:
        alike[2, 3] = alike[3, 2] = correlation
    design, values = np.array([part for _, part in figures]), np.array([figure.value for figure, _ in figures])
    precision = np.linalg.inv(alike * np.outer(spreads, spreads))
    covariance = np.linalg.inv(design.T @ precision @ design)
    score, gain = covariance @ design.T @ precision @ values
    return Measured(float(score), float(covariance[0, 0] ** 0.5)), Measured(float(gain), float(covariance[1, 1] ** 0.5))


def _without_luck(naive: Measured, optimism: float) -> Measured:
    return Measured(naive.value - optimism, hypot(naive.spread, _UNSURE * optimism))


def _corrected(naive: Measured, optimism: float, gain: Measured) -> Measured:
    lucky = _without_luck(naive, optimism)
    return Measured(lucky.value + gain.value, hypot(lucky.spread, gain.spread))
