"""The hard vote: every member votes for one class, ties go to the class that the soft vote prefers."""

import numpy as np

from voting.rules.soft import soft_vote
from voting.rules.vote import Members, Votes, Weights

_TIE = 1e-6  # how much of the soft vote is mixed in: it decides ties and nothing else


def hard_vote(members: Members, *, weights: Weights | None = None) -> Votes:
    """Return the members' shares that vote for each class, a little of the soft vote mixed in."""
    said = np.asarray(members, float)
    classes = np.eye(said.shape[2])[said.argmax(axis=2)]
    votes: Votes = (1 - _TIE) * soft_vote(list(classes), weights=weights) + _TIE * soft_vote(members, weights=weights)
    return votes
