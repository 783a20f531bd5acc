"""A Gaussian process with a length scale for each parameter and one feature whose weight it learns. Pure calculation.

The feature is a guess of the outcome, such as what was seen on other data. The process begins by believing it and learns from its
own observations how far that holds: its covariance is a Matern kernel of 5/2 plus the product of the features, that of a weight
that is drawn around one (Rasmussen and Williams, "Gaussian Processes for Machine Learning", 2006, section 2.7). Hyperparameters
are those of the largest posterior, under priors that keep few observations from being read too closely.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

Vectors = npt.NDArray[np.float64]  # observations x columns
Values = npt.NDArray[np.float64]
_CENTRES = {"length": np.log(0.7), "signal": np.log(0.7), "noise": np.log(0.1)}  # of the log-normal priors
_SPREADS = {"length": 0.8, "signal": 0.7, "noise": 1.0}
_JITTER = 1e-6
_BOUND = 4.0  # of a logarithm, either side of its centre


@dataclass(frozen=True)
class Hyperparameters:
    """Length scales by parameter, variances of signal and noise."""

    lengths: Values
    signal: float
    noise: float


@dataclass(frozen=True)
class Evidence:
    """What was observed: vectors, what was guessed of each, what came out, and which parameter a column belongs to."""

    vectors: Vectors
    guesses: Values
    outcomes: Values
    groups: npt.NDArray[np.int64]
    trust: float = 1.0  # standard deviation of the guess's weight around one
    believed: int = 0  # so many of the last are taken as certain


class GaussianProcess:
    """The posterior under observations and hyperparameters, by default those that fit best."""

    def __init__(self, evidence: Evidence, hyperparameters: Hyperparameters | None = None) -> None:
        self.evidence = evidence
        self.hyperparameters = hyperparameters or fitted(evidence)
        covariance = self._covariance(evidence.vectors, evidence.guesses)
        measured = np.arange(len(evidence.outcomes)) < len(evidence.outcomes) - evidence.believed
        np.fill_diagonal(covariance, covariance.diagonal() + self.hyperparameters.noise * measured + _JITTER)
        self._factor = cho_factor(covariance, lower=True)
        self._weights = cho_solve(self._factor, evidence.outcomes - evidence.guesses)

    def predict(self, vectors: Vectors, guesses: Values) -> tuple[Values, Values]:
        """Return the mean and the standard deviation, without noise, at each row."""
        across = self._covariance(vectors, guesses)
        mean = guesses + across @ self._weights
        prior = self.hyperparameters.signal + (self.evidence.trust * guesses) ** 2
        explained = np.einsum("ij,ji->i", across, cho_solve(self._factor, across.T))
        return np.asarray(mean), np.sqrt(np.maximum(prior - explained, 1e-12))

    def with_believed(self, vectors: Vectors, guesses: Values) -> "GaussianProcess":
        """Return the process as if what it expects had come out there (kriging believer).

        Ginsbourger, Le Riche and Carraro, "Kriging is well-suited to parallelize optimization", 2010.
        """
        ours = self.evidence
        believed, _ = self.predict(vectors, guesses)
        evidence = replace(
            ours,
            vectors=np.vstack([ours.vectors, vectors]),
            guesses=np.concatenate([ours.guesses, guesses]),
            outcomes=np.concatenate([ours.outcomes, believed]),
            believed=ours.believed + len(vectors),
        )
        return GaussianProcess(evidence, self.hyperparameters)

    def _covariance(self, vectors: Vectors, guesses: Values) -> Vectors:
        ours, own = self.evidence, self.hyperparameters
        kernel = own.signal * matern(squares_of(vectors, ours.vectors, ours.groups), own.lengths)
        return np.asarray(kernel + ours.trust**2 * np.outer(guesses, ours.guesses))


def fitted(evidence: Evidence) -> Hyperparameters:
    """Return the hyperparameters of the largest posterior."""
    count = int(evidence.groups.max()) + 1 if evidence.groups.size else 0
    squares = squares_of(evidence.vectors, evidence.vectors, evidence.groups)
    centres = np.array([_CENTRES["length"]] * count + [_CENTRES["signal"], _CENTRES["noise"]])
    spreads = np.array([_SPREADS["length"]] * count + [_SPREADS["signal"], _SPREADS["noise"]])
    likelihood = Likelihood(evidence, squares)

    def loss(logs: Values) -> tuple[float, Values]:
        value, gradient = likelihood(logs)
        away = (logs - centres) / spreads
        return value + 0.5 * float((away**2).sum()), gradient + away / spreads

    bounds = [(one - _BOUND, one + _BOUND) for one in centres]
    best = minimize(loss, centres, method="L-BFGS-B", jac=True, bounds=bounds).x
    return Hyperparameters(np.exp(best[:-2]), float(np.exp(best[-2])), float(np.exp(best[-1])))


class Likelihood:
    """The negative log likelihood of evidence and its gradient, by the logarithms of the hyperparameters."""

    def __init__(self, evidence: Evidence, squares: Vectors) -> None:
        self._squares, self._residuals = squares, evidence.outcomes - evidence.guesses
        self._linear = evidence.trust**2 * np.outer(evidence.guesses, evidence.guesses)
        self._unit = np.eye(len(evidence.outcomes))

    def __call__(self, logs: Values) -> tuple[float, Values]:
        """Return both (Rasmussen and Williams, equations 5.8 and 5.9)."""
        lengths, signal, noise = np.exp(logs[:-2]), np.exp(logs[-2]), np.exp(logs[-1])
        correlation = matern(self._squares, lengths)
        factor = cho_factor(
            signal * correlation + self._linear + (noise + _JITTER) * self._unit, lower=True, check_finite=False
        )
        weights = cho_solve(factor, self._residuals, check_finite=False)
        value = 0.5 * float(self._residuals @ weights) + float(np.log(np.diag(factor[0])).sum())
        slope = 0.5 * (cho_solve(factor, self._unit, check_finite=False) - np.outer(weights, weights))
        of_lengths = [signal * float((slope * one).sum()) for one in _by_length(self._squares, lengths)]
        return value, np.array([*of_lengths, signal * (slope * correlation).sum(), noise * np.trace(slope)])


def _by_length(squares: Vectors, lengths: Values) -> Vectors:
    """Return the derivative of the Matern kernel by the logarithm of each length scale."""
    distance = np.sqrt(5 * np.tensordot(lengths**-2.0, squares, axes=1))
    shared = 5 / 3 * (1 + distance) * np.exp(-distance)
    return np.asarray(shared * squares * lengths[:, None, None] ** -2.0)


def matern(squares: npt.NDArray[np.float64], lengths: Values) -> Vectors:
    """Return the Matern kernel of 5/2 of squared distances (parameters x rows x columns) under length scales."""
    if not len(lengths):
        return np.ones(squares.shape[1:])
    distance = np.sqrt(5 * np.tensordot(lengths**-2.0, squares, axes=1))
    return np.asarray((1 + distance + distance**2 / 3) * np.exp(-distance))


def squares_of(left: Vectors, right: Vectors, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return squared distances by parameter: parameters x left x right."""
    count = int(groups.max()) + 1 if groups.size else 0
    squares = np.zeros((count, len(left), len(right)))
    for column, group in enumerate(groups):
        squares[group] += (left[:, column, None] - right[None, :, column]) ** 2
    return squares
