"""How far probabilities are off: the expected calibration error."""

import numpy as np

from studies.metrics import Targets
from voting.rules.vote import Votes

_BINS = 15


def calibration_error(votes: Votes, targets: Targets) -> float:
    """Return the mean distance of confidence and accuracy over 15 bins of confidence (Naeini et al., AAAI 2015)."""
    confidence, right = votes.max(axis=1), votes.argmax(axis=1) == targets
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    distance = np.bincount(bins, confidence - right, minlength=_BINS)
    return float(np.abs(distance).sum() / len(targets))
