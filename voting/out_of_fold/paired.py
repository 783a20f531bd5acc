"""How far two votes differ beyond noise, by the persons on whom they differ."""

import numpy as np
import numpy.typing as npt

from studies.metrics import Targets
from voting.out_of_fold.objective import Rows, Votes


def standard_error(one: Votes, other: Votes, targets: Targets, persons: Rows, *, of_classes: bool) -> float:
    """Return the standard error of the difference between two votes' mean scores, persons drawn anew.

    The score is the share of images that are right, or the logarithm of the true class's probability where probabilities count.
    It stands for that of other metrics, of which it is the usual size, and costs no resampling.
    """
    ahead = _image_scores(one, targets, of_classes=of_classes) - _image_scores(other, targets, of_classes=of_classes)
    of_person = np.bincount(persons, ahead - ahead.mean())
    return float(np.sqrt((of_person**2).sum()) / len(targets))


def _image_scores(votes: Votes, targets: Targets, *, of_classes: bool) -> npt.NDArray[np.float64]:
    own = votes[np.arange(len(targets)), targets]
    scores: npt.NDArray[np.float64] = votes.argmax(axis=1) == targets if of_classes else np.log(np.clip(own, 1e-7, 1))
    return scores.astype(float)
