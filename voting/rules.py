"""Vote rules: numbers in, numbers out."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from voting.errors import BundleError

Votes = npt.NDArray[np.float64]  # images x classes, rows sum to 1

VoteRule = Callable[[Sequence[npt.NDArray[np.floating]]], Votes]

# The competition's 18 classes: mask * 6 + gender * 3 + age.
JOINT_TASKS = ("mask", "gender", "age")


def soft_vote(members: Sequence[npt.NDArray[np.floating]]) -> Votes:
    """Return the mean of the members' probabilities."""
    if not members:
        raise ValueError("a vote needs at least one member")
    votes: Votes = np.mean([np.asarray(member, float) for member in members], axis=0)
    return votes


VOTE_RULES: dict[str, VoteRule] = {"soft": soft_vote}


def find_rule(name: str) -> VoteRule:
    """Return the vote rule of a name.

    Raises:
        BundleError: this version has none of that name.
    """
    if name not in VOTE_RULES:
        raise BundleError(f"this version has no vote rule {name!r}; it has {', '.join(VOTE_RULES)}")
    return VOTE_RULES[name]


def joint_votes(votes: Mapping[str, npt.NDArray[np.floating]]) -> npt.NDArray[np.float32]:
    """Return the probabilities of the 18 classes, those of mask, gender and age taken as independent."""
    mask, gender, age = (votes[task] for task in JOINT_TASKS)
    joint: npt.NDArray[np.float32] = np.einsum("im,ig,ia->imga", mask, gender, age).reshape(len(mask), -1)
    return joint.astype(np.float32)


def joint_class(labels: Mapping[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return the 18 classes composed of mask, gender and age class numbers."""
    return labels["mask"] * 6 + labels["gender"] * 3 + labels["age"]
