"""The whole choice for one task: who votes, with what weight, and how the vote is decided."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voting.calibration.choice import accepted_class_weights, accepted_temperature
from voting.calibration.decision import Decision
from voting.calibration.error import calibration_error
from voting.out_of_fold.pool import Pool, distinct
from voting.rules.vote import Votes, Weights
from voting.selection import CONSIDERED
from voting.selection.choice import Tried, chosen, tried
from voting.selection.methods import methods


@dataclass(frozen=True)
class Wanted:
    """What an export asks of a choice."""

    method: str | None = None  # one of METHODS; None: the best of them
    size: int = CONSIDERED  # voters at most
    seed: int = 0  # of the evolution strategy


@dataclass(frozen=True, eq=False)
class Ensemble:
    """Who votes, and how: weights of a pool's candidates, and the decision."""

    method: str
    weights: Weights
    decision: Decision

    def decided(self, pool: Pool) -> Votes:
        """Return the vote whose largest probability is the class decided for."""
        return self.decision.decided(pool.vote(self.weights))

    def score(self, pool: Pool) -> float:
        """Return what the decided vote scores; more is better."""
        return pool.objective.score(self.decided(pool))


@dataclass(frozen=True, eq=False)
class Explained:
    """An ensemble, and why it was taken."""

    ensemble: Ensemble
    tried: Sequence[Tried]  # every method; weights of the considered candidates alone
    error_before: float  # of calibration, cross-fitted
    error_after: float


def fit(pool: Pool, wanted: Wanted) -> Ensemble:
    """Return the ensemble that the persons of a pool choose; where only classes are judged, without a temperature."""
    return _classes(pool, wanted)[0] if pool.objective.weighs_classes else _with_probabilities(pool, wanted).ensemble


def explained(pool: Pool, wanted: Wanted) -> Explained:
    """Return the ensemble with its temperature, which leaves classes as they are, and what else was tried."""
    return _with_probabilities(pool, wanted)


def _with_probabilities(pool: Pool, wanted: Wanted) -> Explained:
    ensemble, found, taken = _classes(pool, wanted)
    if not _can_be_fitted(pool):
        error = calibration_error(taken.votes, pool.targets)
        return Explained(ensemble, found, error, error)
    temperature, calibrated = accepted_temperature(pool, taken.votes, pool.vote(ensemble.weights))
    weights = _at_temperature(ensemble.decision.class_weights, temperature)
    return Explained(
        Ensemble(ensemble.method, ensemble.weights, Decision(temperature, weights)),
        found,
        calibration_error(taken.votes, pool.targets),
        calibration_error(calibrated, pool.targets),
    )


def _at_temperature(class_weights: Sequence[float], temperature: float) -> tuple[float, ...]:
    """Return the class weights that decide at this temperature as the given ones did before it."""
    return tuple(weight ** (1 / temperature) for weight in class_weights)


def _can_be_fitted(pool: Pool) -> bool:
    """Tell whether there are persons to fit on and others to check it by: not on a single fold."""
    return len(np.unique(pool.folds)) > 1


def _classes(pool: Pool, wanted: Wanted) -> tuple[Ensemble, Sequence[Tried], Tried]:
    """Return the ensemble without a temperature, every method tried, and the one taken."""
    considered = distinct(pool)[:CONSIDERED]
    few = pool.only(considered)
    wanted = wanted if _can_be_fitted(pool) else Wanted("single", 1)
    found = tried(few, methods(few, wanted.size, wanted.seed, wanted.method))
    taken = chosen(few, found)
    weights = np.zeros(pool.size)
    weights[considered] = taken.weights
    class_weights = accepted_class_weights(few, taken.votes, few.vote(taken.weights)) if _can_be_fitted(pool) else ()
    return Ensemble(taken.method.label, weights, Decision(class_weights=class_weights)), found, taken
