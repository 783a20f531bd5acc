"""What to run next: one pure function of the record, the strategy and the budget."""

from dataclasses import dataclass
from typing import TypeAlias

from schedulers.spending.affordable import affordable_strategy, look_ahead, under_way
from schedulers.spending.budget import Budget
from schedulers.spending.worth import not_worth
from schedulers.strategy import Climb, NewTrial, Outlook, Strategy
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
        climb = climb_by_right(trial, strategy) if trial.failure is None else None
        if climb is None or budget.spent(study, elapsed, under_way(study, strategy, trial) + 1):
            continue
        if budget.fits(study, trial, climb.epoch - trial.epochs_of(climb.fold), elapsed):
            return climb
    if reason := budget.spent(study, elapsed, under_way(study, strategy, None) + 1):
        return _when_idle(study, reason)
    affordable = affordable_strategy(budget, strategy, study, slots, elapsed)
    outlook = look_ahead(study, affordable, budget, slots, elapsed)
    work = affordable.choose(study, outlook)
    if isinstance(work, Climb) and not _fits(study, work, budget, elapsed):
        too_short = f"what is left of the {budget.spelled()} is too short for another fold"
        return _fold_in_time(study, strategy, budget, elapsed) or _when_idle(study, too_short)
    if isinstance(work, NewTrial) and (reason := not_worth(study, affordable, budget, slots)):
        return CloseField(reason)
    return work or _when_idle(study, _why_nothing(study, budget, outlook))


def _why_nothing(study: StudyState, budget: Budget, outlook: Outlook) -> str:
    """Return why a strategy has nothing to do."""
    if study.closed is not None:
        return study.closed
    if outlook.open or len(study.trials) >= budget.trials:
        return "every trial has gone as far as it has earned"
    if budget.seconds is not None:
        return f"what is left of the {budget.spelled()} is too short for more"
    return f"the budget of {budget.fold_epochs} fold-epochs has no room for another trial"


def climb_by_right(trial: TrialState, strategy: Strategy) -> Climb | None:
    """Return a climb of a trial that needs no comparison, None if it has to earn its next rung.

    That is what a stop or a crash interrupted, the first rung, weights that are owed, and every fold of the recipe.
    """
    rungs = strategy.rungs
    for number, fold in sorted(trial.folds.items()):
        if not fold.climbing and (fold.interrupted or not rungs.is_level(number, len(fold.epochs))):
            epoch = rungs.epochs if trial.origin == "recipe" else rungs.next_epoch(number, len(fold.epochs))
            return Climb(trial.number, number, epoch)
        if fold.owes_weights and not fold.climbing and trial.has_trained(rungs.top):
            return Climb(trial.number, number, rungs.epochs)
    if trial.origin == "recipe":
        lacking = (fold for fold in range(rungs.folds) if trial.lacks(fold, rungs.epochs))
        return next((Climb(trial.number, fold, rungs.epochs) for fold in lacking), None)
    return strategy.climb(trial) if not trial.folds else None


def _fold_in_time(study: StudyState, strategy: Strategy, budget: Budget, elapsed: float) -> Climb | None:
    """Return the first fold of a finalist that would end in time; part of a fold could not vote."""
    epochs = strategy.rungs.epochs
    lacking = (
        Climb(trial.number, fold, epochs)
        for trial in strategy.finals(study)
        for fold in range(strategy.rungs.folds)
        if trial.lacks(fold, epochs)
    )
    return next((climb for climb in lacking if _fits(study, climb, budget, elapsed)), None)


def _fits(study: StudyState, climb: Climb, budget: Budget, elapsed: float) -> bool:
    trial = study.trials[climb.trial]
    return budget.fits(study, trial, climb.epoch - trial.epochs_of(climb.fold), elapsed)


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
    if mishap := study.mishaps.machine_fails:
        trials = ", ".join(str(number) for number in sorted({one.trial for one in study.mishaps.row}))
        return f"the last {len(study.mishaps.row)} climbs lost their processes, of the trials {trials}: {mishap.reason}"
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
