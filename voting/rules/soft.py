"""The soft vote: the mean of what the members say."""

import numpy as np

from voting.rules.vote import Members, Votes, Weights


def soft_vote(members: Members, *, weights: Weights | None = None) -> Votes:
    """Return the mean of the members' probabilities."""
    shares = np.full(len(members), 1 / len(members)) if weights is None else weights
    votes: Votes = np.tensordot(shares, np.asarray(members, float), axes=1)
    return votes
