"""Temperature and class weights, fitted on votes whose classes are known."""

import numpy as np
from scipy.optimize import minimize_scalar

from studies.metrics import Targets, log_loss
from voting.calibration.decision import at_temperature
from voting.out_of_fold.objective import Objective
from voting.rules.vote import Votes

_FACTORS = np.geomspace(0.5, 2.0, 9)  # tried for one class after the other
_SWEEPS = 2
_HOTTEST = 8.0


def fitted_temperature(votes: Votes, targets: Targets) -> float:
    """Return the temperature of the least log loss, within 1/8 to 8."""

    def loss(logarithm: float) -> float:
        return log_loss(targets, at_temperature(votes, float(np.exp(logarithm))).astype(np.float32))

    limit = float(np.log(_HOTTEST))
    return float(np.exp(minimize_scalar(loss, bounds=(-limit, limit), method="bounded", options={"xatol": 1e-3}).x))


def fitted_class_weights(votes: Votes, objective: Objective) -> tuple[float, ...]:
    """Return the weights under which the decided classes score best, found class by class; ties to equal weights."""
    weights = np.ones(votes.shape[1])
    highest = objective.score(votes)
    for _ in range(_SWEEPS):
        for one in range(len(weights)):
            changed = np.tile(weights, (len(_FACTORS), 1))
            changed[:, one] = _FACTORS
            scores = objective.scores(votes * changed[:, None, :])
            if scores.max() > highest:
                weights, highest = changed[int(scores.argmax())], float(scores.max())
    return tuple(float(weight) for weight in weights / weights.max())
