"""What to run next: one pure function of the record, the strategy and the budget."""

from dataclasses import dataclass
from typing import TypeAlias

from schedulers.spending.affordable import affordable_strategy, look_ahead, under_way
from schedulers.spending.budget import Budget
from schedulers.spending.worth import not_worth
from schedulers.strategy import Climb, NewTrial, Strategy
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

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


def next_work(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> Work:
    """Return what a free slot does next; `elapsed` is in seconds of search.

    Order: the end of a budget; what stands between two rungs (a crash, a stop, another grace period); the
    recipe; then whatever the strategy chooses.
    """
    if reason := stop_reason(study, strategy, budget, elapsed):
        return _when_idle(study, reason)
    for trial in study.trials.values():
        if trial.climbing or trial.failure is not None:
            continue
        spent = budget.spent(study, elapsed, under_way(study, strategy, trial) + 1)
        if (climb := _climb_by_right(trial, strategy)) and not spent:
            return climb
    if reason := budget.spent(study, elapsed, under_way(study, strategy, None) + 1):
        return _when_idle(study, reason)
    strategy = affordable_strategy(budget, strategy, study, slots, elapsed)
    outlook = look_ahead(study, strategy, budget, slots, elapsed)
    work = strategy.choose(study, outlook)
    if isinstance(work, NewTrial) and (reason := not_worth(study, strategy, budget, slots)):
        return CloseField(reason)
    return work or _when_idle(study, study.closed or "every trial has gone as far as it has earned")


def _climb_by_right(trial: TrialState, strategy: Strategy) -> Climb | None:
    """Return the climb of a trial at rest that needs no comparison, None if it has to earn its next rung."""
    rungs, standing = strategy.rungs, trial.standing(strategy.rungs)
    if trial.has_trained(rungs.top):
        owed = next((fold for fold, state in sorted(trial.folds.items()) if state.owes_weights), None)
        return None if owed is None else Climb(trial.number, owed, rungs.epochs)
    if standing is None or trial.interrupted or trial.fold_epochs != rungs.cost(standing):
        return strategy.climb(trial)
    if trial.origin != "recipe":
        return None
    whole_folds = (rung for rung in rungs.levels if rung > standing and rung.epoch == rungs.epochs)
    return strategy.climb(trial, next(whole_folds))


def stop_reason(study: StudyState, strategy: Strategy, budget: Budget, elapsed: float) -> str | None:
    """Return why nothing new may begin, None while something may."""
    if reason := budget.spent(study, elapsed, study.climbs() + 1):
        return reason
    if budget.target_score is not None:
        for trial in study.trials.values():
            score = trial.score_at(strategy.rungs.top)
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
