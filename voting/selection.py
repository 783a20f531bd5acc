"""Which trials vote: the best finished ones by their out-of-fold score, as many as vote best together."""

from collections.abc import Sequence

import numpy as np

from trainables.metrics import Probabilities, Targets, macro_f1
from voting.rules import soft_vote


def best_members(targets: Targets, candidates: Sequence[Probabilities], size: int) -> list[int]:
    """Return the positions of the voters, best first.

    The candidates are ranked by macro F1 (ties to the earlier), and the first 1, 2, ... up to `size` of
    them vote together: the number with the highest macro F1 is taken, ties to the smaller. Each candidate
    is a trial's complete out-of-fold predictions: an image's row comes from the one fold model that never
    saw its person.
    """
    scores = [macro_f1(targets, candidate) for candidate in candidates]
    ranked = sorted(range(len(candidates)), key=lambda position: (-scores[position], position))
    together = [_vote_score(targets, [candidates[place] for place in ranked[:voters]]) for voters in range(1, size + 1)]
    return ranked[: 1 + together.index(max(together))]


def _vote_score(targets: Targets, members: Sequence[Probabilities]) -> float:
    return macro_f1(targets, soft_vote(members).astype(np.float32))
