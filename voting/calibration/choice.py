"""Whether a decision is taken over: cross-fitted over persons, and only where it gains more than noise."""

import numpy as np

from voting.calibration.decision import Decision
from voting.calibration.fitting import fitted_class_weights, fitted_temperature
from voting.out_of_fold.cross_fitting import fold_parts
from voting.out_of_fold.paired import standard_error
from voting.out_of_fold.pool import Pool
from voting.rules.vote import Votes

# Standard errors by which class weights must be ahead; python -m benchmarks.promise.margins says what others cost.
MARGIN = 1.0


def accepted_class_weights(pool: Pool, cross_fitted: Votes, votes: Votes, margin: float = MARGIN) -> tuple[float, ...]:
    """Return class weights fitted on the vote, none where cross-fitted ones do not gain more than noise."""
    if not pool.objective.weighs_classes:
        return ()
    weighted = np.empty_like(cross_fitted)
    for others, own in fold_parts(pool.folds):
        weights = fitted_class_weights(cross_fitted[others], pool.objective.take(others))
        weighted[own] = cross_fitted[own] * np.asarray(weights)
    gain = pool.objective.score(weighted) - pool.objective.score(cross_fitted)
    noise = standard_error(weighted, cross_fitted, pool.targets, pool.persons, of_classes=True)
    if gain <= margin * noise:
        return ()
    return fitted_class_weights(votes, pool.objective)


def accepted_temperature(pool: Pool, cross_fitted: Votes, votes: Votes) -> tuple[float, Votes]:
    """Return a temperature fitted on the vote and the cross-fitted probabilities; 1 where those lose log loss by it."""
    calibrated = np.empty_like(cross_fitted)
    for others, own in fold_parts(pool.folds):
        temperature = fitted_temperature(cross_fitted[others], pool.targets[others])
        calibrated[own] = Decision(temperature).probabilities(cross_fitted[own])
    rows = np.arange(len(pool.targets))
    before, after = (np.log(np.clip(one[rows, pool.targets], 1e-7, 1)).mean() for one in (cross_fitted, calibrated))
    if after <= before:
        return 1.0, cross_fitted
    return fitted_temperature(votes, pool.targets), calibrated
