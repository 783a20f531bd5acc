"""Which trials vote: the best finished ones by their out-of-fold score."""

from collections.abc import Sequence

from trainables.metrics import Probabilities, Targets, macro_f1


def best_members(targets: Targets, candidates: Sequence[Probabilities], size: int) -> list[int]:
    """Return the positions of the `size` candidates with the highest macro F1, best first, ties to the earlier.

    Each candidate is a trial's complete out-of-fold predictions: an image's row comes from the one fold
    model that never saw its person.
    """
    scores = [macro_f1(targets, candidate) for candidate in candidates]
    return sorted(range(len(candidates)), key=lambda position: (-scores[position], position))[:size]
