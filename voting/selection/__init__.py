"""WHO VOTES, AND WITH WHAT WEIGHT: pure functions from out-of-fold probabilities to weights."""

# So many of a task's best finished trials are considered; the disk budget keeps their weights.
CONSIDERED = 12
