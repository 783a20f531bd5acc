"""Vote rules by name: numbers in, numbers out.

A rule takes the members' probabilities (each images x classes) and returns those of the vote; its keyword-only arguments
are options that an export may state.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

import plugins
from plugins.registry import Registry, checked_options

Votes = npt.NDArray[np.float64]  # images x classes, rows sum to 1


@dataclass(frozen=True)
class Vote:
    """What was voted on images of one task: probabilities, and the number where a member predicts one."""

    probabilities: Votes
    numbers: npt.NDArray[np.floating] | None = None


VoteRule = Callable[..., Votes]
VOTE_RULES: Registry[VoteRule] = plugins.VOTE_RULES

# The competition's 18 classes: mask * 6 + gender * 3 + age.
JOINT_TASKS = ("mask", "gender", "age")


@VOTE_RULES.register("soft")
def soft_vote(members: Sequence[npt.NDArray[np.floating]]) -> Votes:
    """Return the mean of the members' probabilities."""
    if not members:
        raise ValueError("a vote needs at least one member")
    votes: Votes = np.mean([np.asarray(member, float) for member in members], axis=0)
    return votes


def vote_rule(name: str, options: Mapping[str, Any] | None = None) -> VoteRule:
    """Return a vote rule with its options.

    Raises:
        PluginError: there is no such rule, or it has no such option.
    """
    rule = VOTE_RULES[name]
    return partial(rule, **checked_options(rule, options or {}))


def joint_votes(votes: Mapping[str, npt.NDArray[np.floating]]) -> npt.NDArray[np.float32]:
    """Return the probabilities of the 18 classes, those of mask, gender and age taken as independent."""
    mask, gender, age = (votes[task] for task in JOINT_TASKS)
    joint: npt.NDArray[np.float32] = np.einsum("im,ig,ia->imga", mask, gender, age).reshape(len(mask), -1)
    return joint.astype(np.float32)


def joint_class(labels: Mapping[str, npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return the 18 classes composed of mask, gender and age class numbers."""
    return labels["mask"] * 6 + labels["gender"] * 3 + labels["age"]
