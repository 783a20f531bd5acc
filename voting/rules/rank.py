"""The rank vote: every member ranks the classes, and a class counts by its mean rank (Borda).

A member that is always very sure then counts no more than one that hardly ever is.
"""

import numpy as np

from voting.rules.soft import soft_vote
from voting.rules.vote import Members, Votes, Weights


def rank_vote(members: Members, *, weights: Weights | None = None) -> Votes:
    """Return each class's mean rank among the classes as a share; equal probabilities share their rank."""
    said = np.asarray(members, float)
    above, here = said[..., :, None] > said[..., None, :], said[..., :, None] == said[..., None, :]
    ranks = above.sum(axis=-1) + (here.sum(axis=-1) + 1) / 2
    return soft_vote(list(ranks / ranks.sum(axis=-1, keepdims=True)), weights=weights)
