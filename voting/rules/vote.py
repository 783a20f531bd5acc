"""A vote: by which rule, with which weights. Numbers in, numbers out.

A rule is registered under a name (one file each). It takes the members' probabilities (each images x classes) and returns those
of the vote; its keyword-only arguments are options that an export may state. One that has an argument `weights` is the weighted
mean of what it makes of each member alone, and is given a weight for every member (they sum to one); one that has none votes
with equal ones.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

import plugins
from plugins.registry import PluginError, Registry, checked_options, options_of

Votes = npt.NDArray[np.float64]  # images x classes, rows sum to 1
Weights = npt.NDArray[np.float64]  # one for every member, sum to 1
Members = Sequence[npt.NDArray[np.floating]]
VoteRule = Callable[..., Votes]
_WEIGHTS = "weights"
VOTE_RULES: Registry[VoteRule] = plugins.VOTE_RULES
for _name in ("soft", "hard", "rank"):
    VOTE_RULES.add(_name, f"voting.rules.{_name}:{_name}_vote")


@dataclass(frozen=True)
class Vote:
    """What was voted on images of one task: probabilities, the class, and the number where a member predicts one."""

    probabilities: Votes
    decided: Votes  # the largest is the class decided for
    numbers: npt.NDArray[np.floating] | None = None

    @property
    def classes(self) -> npt.NDArray[np.int64]:
        """Return the class numbers decided for."""
        classes: npt.NDArray[np.int64] = self.decided.argmax(axis=1)
        return classes


@dataclass(frozen=True)
class Rule:
    """A vote rule with its options.

    Raises:
        PluginError: there is no such rule, or it has no such option.
    """

    name: str = "soft"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if _WEIGHTS in self.options:
            raise PluginError(f"{_WEIGHTS}: is no option; they are chosen, see --method")
        checked_options(VOTE_RULES[self.name], self.options)

    @cached_property
    def weighs(self) -> bool:
        """Tell whether its members may have different weights."""
        return _WEIGHTS in options_of(VOTE_RULES[self.name])

    def __call__(self, members: Members, weights: Weights | None = None) -> Votes:
        """Return what members vote together, all with the same weight unless `weights` says otherwise."""
        if not members:
            raise ValueError("a vote needs at least one member")
        shares = np.full(len(members), 1 / len(members)) if weights is None else np.asarray(weights, float)
        return self._vote(members, shares / shares.sum())

    def _vote(self, members: Members, weights: Weights) -> Votes:
        rule = VOTE_RULES[self.name]
        options = checked_options(rule, self.options)
        if not self.weighs:
            return rule([member for member, weight in zip(members, weights, strict=True) if weight > 0], **options)
        return rule(members, weights=weights, **options)
