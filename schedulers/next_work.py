"""What to run next: one pure function of the record, the ladder and the budget."""

from dataclasses import dataclass
from typing import TypeAlias

from schedulers.ladder import Climb, Ladder, NewTrial
from schedulers.spending.affordable import affordable_ladder, look_ahead, under_way
from schedulers.spending.budget import Budget
from schedulers.spending.worth import not_worth
from studies.study_state import StudyState, TrialState

SAME_FAILURES = 3  # this many first trials failing alike stop the study: it is the setup, not the configuration


@dataclass(frozen=True)
class Wait:
    """Nothing to start until a climb that is in flight ends."""


@dataclass(frozen=True)
class Finished:
    """The study is done under this budget."""

    reason: str


@dataclass(frozen=True)
class CloseField:
    """Begin no further configuration in this launch; to be recorded, and asked again."""

    reason: str


Work: TypeAlias = Climb | NewTrial | CloseField | Wait | Finished


def next_work(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> Work:
    """Return what a free slot does next.

    Order: the end of a budget; what stands between two rungs (a crash, a stop, another grace period); the
    recipe; then whatever the ladder chooses.
    """
    if reason := stop_reason(study, ladder, budget, now):
        return _when_idle(study, reason)
    for trial in study.trials.values():
        if trial.climbing or trial.failure is not None or trial.fold_epochs >= ladder.top:
            continue
        spent = budget.spent(study, now, under_way(study, ladder, trial) + 1)
        if (rung := _rung_by_right(trial, ladder)) and not spent:
            return Climb(trial.number, rung)
    if reason := budget.spent(study, now, under_way(study, ladder, None) + 1):
        return _when_idle(study, reason)
    ladder = affordable_ladder(budget, ladder, study, slots, now)
    outlook = look_ahead(study, ladder, budget, slots, now)
    work = ladder.choose(study, outlook)
    if isinstance(work, NewTrial) and (reason := not_worth(study, ladder, budget, slots)):
        return CloseField(reason)
    return work or _when_idle(study, study.closed or "every trial has gone as far as it has earned")


def _rung_by_right(trial: TrialState, ladder: Ladder) -> int | None:
    """Return the rung that a trial at rest climbs to without being compared, None if it has to earn it."""
    if trial.fold_epochs not in (0, *ladder.rungs) or trial.interrupted or not trial.fold_epochs:
        return ladder.next_rung(trial.fold_epochs)
    if trial.origin != "recipe":
        return None
    return next(rung for rung in ladder.rungs if rung > trial.fold_epochs and rung >= ladder.epochs)  # fold by fold


def stop_reason(study: StudyState, ladder: Ladder, budget: Budget, now: float) -> str | None:
    """Return why nothing new may begin, None while something may."""
    if reason := budget.spent(study, now, len(study.climbing()) + 1):
        return reason
    if budget.target_score is not None:
        for trial in study.trials.values():
            score = trial.score_at(ladder.top)
            if score is not None and score >= budget.target_score:
                metric = budget.metric
                reached, target = metric.spelled(score), metric.shown(budget.target_score)
                return f"trial {trial.number} reached a {metric.title} of {reached} over all folds, the target is {target:g}"
    if failure := failed_setup(study):
        return f"the first {SAME_FAILURES} trials of this launch failed alike ({failure.failure}): {failure.reason}"
    return None


def failed_setup(study: StudyState) -> TrialState | None:
    """Return one of the first trials of a launch if all of them failed in one way, None otherwise.

    Only as long as no trial has ever scored an epoch under this launch's setup: afterwards it is the configurations. One
    that diverged (`not_finite`) is never the setup's fault.
    """
    if study.setup_works:
        return None
    first = study.climbed_since_launch[:SAME_FAILURES]
    failures = {None if (trial := study.trials[number]).withdrawn else trial.failure for number in first}
    alike = len(first) == SAME_FAILURES and len(failures) == 1 and failures.isdisjoint({None, "not_finite"})
    return study.trials[first[0]] if alike else None


def _when_idle(study: StudyState, reason: str) -> Wait | Finished:
    return Wait() if study.climbing() else Finished(reason)
