"""Which trials vote: the best finished ones by their out-of-fold score, as many as vote best together."""

from collections.abc import Sequence

import numpy as np

from studies.metrics import METRICS, Metric, Probabilities, Targets
from voting.rules import VoteRule, soft_vote


def best_members(
    targets: Targets,
    candidates: Sequence[Probabilities],
    size: int,
    metric: Metric = METRICS["macro_f1"],
    rule: VoteRule = soft_vote,
) -> list[int]:
    """Return the positions of the voters, best first.

    The candidates are ranked by the metric (ties to the earlier), and the first 1, 2, ... up to `size` of
    them vote together: the number with the best score is taken, ties to the smaller. Each candidate
    is a trial's complete out-of-fold predictions: an image's row comes from the one fold model that never
    saw its person.
    """
    scores = [metric.score(targets, candidate) for candidate in candidates]
    ranked = sorted(range(len(candidates)), key=lambda position: (-scores[position], position))
    teams = [[candidates[place] for place in ranked[:voters]] for voters in range(1, size + 1)]
    together = [metric.score(targets, rule(team).astype(np.float32)) for team in teams]
    return ranked[: 1 + together.index(max(together))]
