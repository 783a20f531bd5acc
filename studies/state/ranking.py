"""Who is ahead in a study, as far as scores alone say: only those of the same rung compare."""

from collections.abc import Iterable
from math import isfinite

from studies.state.rungs import Rung, Rungs
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


def competitors(study: StudyState) -> list[TrialState]:
    """Return the trials that climb by merit: all but the recipe, which always goes to the top."""
    return [trial for trial in study.trials.values() if trial.origin != "recipe"]


def ranked_at(trials: Iterable[TrialState], rung: Rung) -> list[TrialState]:
    """Return the trials that reached a rung, best score first, ties to the earlier trial; failed ones left out."""
    reached = [(trial, trial.score_at(rung)) for trial in trials if trial.failure is None]
    scored = [(trial, score) for trial, score in reached if score is not None and isfinite(score)]
    return [trial for trial, score in sorted(scored, key=lambda pair: (-pair[1], pair[0].number))]


def best_trial(study: StudyState, rungs: Rungs) -> tuple[TrialState, Rung, float] | None:
    """Return the leader, its rung and its score: the highest rung first."""
    for rung in reversed(rungs.levels):
        ranked = ranked_at(study.trials.values(), rung)
        if ranked:
            return ranked[0], rung, ranked[0].scores[rung]
    return None


def least_promising_first(study: StudyState, rungs: Rungs) -> list[TrialState]:
    """Return all trials: failed ones first, then by the rung they reached, then by the score there."""

    def promise(trial: TrialState) -> tuple[bool, int, float]:
        rung = trial.standing(rungs)
        return trial.failure is None, rungs.cost(rung), 0.0 if rung is None else trial.scores[rung]

    return sorted(study.trials.values(), key=promise)
