"""The k best candidates vote alike."""

from voting.out_of_fold.pool import Pool, equal_weights
from voting.rules.vote import Weights


def best(pool: Pool, size: int) -> Weights:
    """Return equal weights of the `size` best candidates, ties to the earlier."""
    return equal_weights(pool.size, pool.ranked[:size])
