"""The order of trials at a look, by their scores and by what was seen of such configurations on other data.

An epoch of one fold says little about the end: on eight recorded sets its rank correlation with other folds is as low as that of
what the other sets say, and their mean is above both (`python -m benchmarks.knowledge.promotion`).
"""

from collections.abc import Sequence

from scipy.stats import rankdata, spearmanr

from studies.state.trial_state import TrialState

ENOUGH = 8  # trials from which a study can tell that other data mislead
MISLEADS = -0.3  # rank correlation of scores and expectations below which they are left out


def with_prior(order: Sequence[TrialState], prior: float) -> list[TrialState]:
    """Return trials, given best score first, by the weighted mean of their rank and of that of their expected place.

    Those of which nothing is expected stand in the middle. Where the scores contradict the expectations, they alone count.
    """
    known = [one.expected for one in order if one.expected is not None]
    if not known or not prior or _contradicted(order):
        return list(order)
    middle = sorted(known)[len(known) // 2]
    places = rankdata([-(middle if one.expected is None else one.expected) for one in order])
    merit = {
        id(one): (1 - prior) * rank + prior * place
        for rank, (one, place) in enumerate(zip(order, places, strict=True), 1)
    }
    return sorted(order, key=lambda one: merit[id(one)])


def _contradicted(order: Sequence[TrialState]) -> bool:
    """Tell whether what was expected is turned round by the scores."""
    both = [(-rank, one.expected) for rank, one in enumerate(order) if one.expected is not None]
    if len(both) < ENOUGH or len({place for _, place in both}) == 1:
        return False
    return bool(spearmanr(*zip(*both, strict=True))[0] < MISLEADS)
