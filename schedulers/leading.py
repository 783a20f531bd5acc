"""Who leads a study."""

from schedulers.ladder import Ladder, ranked_at
from studies.study_state import StudyState, TrialState


def best_trial(study: StudyState, ladder: Ladder) -> tuple[TrialState, int, float] | None:
    """Return the leader, its rung and its score: deepest rung first, for only scores of one rung compare."""
    for rung in reversed(ladder.rungs):
        ranked = ranked_at(study.trials.values(), rung)
        if ranked:
            return ranked[0], rung, ranked[0].score_at(rung) or 0.0
    return None
