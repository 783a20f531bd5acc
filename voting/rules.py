"""Vote rules: numbers in, numbers out."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

Votes = npt.NDArray[np.float64]  # images x classes, rows sum to 1

# The competition's 18 classes: mask * 6 + gender * 3 + age.
JOINT_TASKS = ("mask", "gender", "age")


def soft_vote(members: Sequence[npt.NDArray[np.floating]]) -> Votes:
    """Return the mean of the members' probabilities."""
    if not members:
        raise ValueError("a vote needs at least one member")
    votes: Votes = np.mean([np.asarray(member, float) for member in members], axis=0)
    return votes


def joint_class(labels: Mapping[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return the 18 classes composed of mask, gender and age class numbers."""
    return labels["mask"] * 6 + labels["gender"] * 3 + labels["age"]
