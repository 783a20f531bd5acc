"""What a portfolio says of any configuration of a space: a Gaussian process over those that were judged on other data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from schedulers.samplers.transfer.encoding import Vectors, encoded, groups_of
from schedulers.samplers.transfer.gaussian_process import Evidence, GaussianProcess
from search_spaces import SearchSpace
from search_spaces.portfolio import Entry, Portfolio, lies_in

Values = npt.NDArray[np.float64]
_SPREAD, _DIGITS = 12**0.5, 4
_ENOUGH = 5  # configurations that lie in the space: fewer say nothing about the others


class Known:
    """Guesses the place of a configuration, standardised; zero for all without a portfolio that fits the space."""

    def __init__(self, space: SearchSpace, portfolio: Portfolio | None = None) -> None:
        self._space = space
        entries = [] if portfolio is None else [one for one in portfolio.configurations if lies_in(space, one)]
        told = len(entries) >= _ENOUGH and len({one.place for one in entries}) > 1
        self._process = self._of(space, entries) if told else None

    def __bool__(self) -> bool:
        """Tell whether anything is known."""
        return self._process is not None

    def guesses(self, vectors: Vectors) -> Values:
        """Return what each of encoded configurations is worth, in standard deviations of places."""
        if self._process is None:
            return np.zeros(len(vectors))
        return self._process.predict(vectors, np.zeros(len(vectors)))[0]

    def place(self, configuration: Mapping[str, Any]) -> float | None:
        """Return the place from 0 to 1 that is expected of a configuration; None where nothing is known."""
        if self._process is None:
            return None
        (guess,) = self.guesses(encoded(self._space, [self._space.active(configuration)]))
        return round(float(np.clip(guess / _SPREAD + 0.5, 0.0, 1.0)), _DIGITS)

    @staticmethod
    def _of(space: SearchSpace, entries: Sequence[Entry]) -> GaussianProcess:
        vectors = encoded(space, [one.configuration for one in entries])
        places = standardised(np.array([one.place for one in entries]))
        return GaussianProcess(Evidence(vectors, np.zeros(len(entries)), places, groups_of(space)))


def standardised(places: Values) -> Values:
    """Return places from 0 to 1 less their mean, in units of the deviation that evenly spread ones have."""
    return (places - 0.5) * _SPREAD
