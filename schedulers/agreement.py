"""How far the rankings of two rungs agree."""

from collections.abc import Iterable
from math import isnan

from scipy.stats import kendalltau

from studies.state.ranking import ranked_at
from studies.state.rungs import Rung
from studies.state.trial_state import TrialState

FEW = 3  # of two trials any agreement is complete, one way or the other


def rank_agreement(trials: Iterable[TrialState], rung: Rung, later: Rung) -> tuple[int, float | None]:
    """Return how many trials reached both rungs, and Kendall's tau of their rankings; None where it is not defined."""
    both = ranked_at(trials, later)
    if len(both) < FEW:
        return len(both), None
    tau = float(kendalltau([trial.score_at(rung) for trial in both], [trial.score_at(later) for trial in both])[0])
    return len(both), None if isnan(tau) else tau
