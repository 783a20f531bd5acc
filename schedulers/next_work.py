"""What to run next: one pure function of the record, the ladder and the budget."""

from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import TypeAlias

from schedulers.ladder import Climb, Ladder, NewTrial, Outlook, competitors
from schedulers.study_state import StudyState, TrialState

RESERVE = 1.15  # fold-epochs vary in length; without a margin the last finalist misses its last fold
SEARCH_SHARE = 0.5  # of a budget goes to searching before finalists may take the rest of it
FINALS_SHARE = 0.75  # of a budget is the most that finalists may need: with less there are fewer of them
SAME_FAILURES = 3  # this many first trials failing alike stop the study: it is the setup, not the configuration


@dataclass(frozen=True)
class Wait:
    """Nothing to start until a climb that is in flight ends."""


@dataclass(frozen=True)
class Finished:
    """The study is done under this budget."""

    reason: str


Work: TypeAlias = Climb | NewTrial | Wait | Finished


@dataclass(frozen=True)
class Budget:
    """What a study may cost, over all launches; `seconds` counts search time."""

    trials: int
    seconds: float | None = None
    fold_epochs: int | None = None
    target_score: float | None = None

    def spent(self, study: StudyState, now: float, running: int) -> str | None:
        """Return why `running` fold-epochs must not be under way any more, None while they may."""
        if self.seconds is not None and study.seconds_spent(now) >= self.seconds:
            return "the time budget is spent"
        if self.fold_epochs is not None and study.fold_epochs + running > self.fold_epochs:
            return f"the budget of {self.fold_epochs} fold-epochs is spent"
        return None

    def reaches(self, study: StudyState, now: float, fold_epochs: int) -> bool:
        """Tell whether one more trial could still train so many fold-epochs beside those that run."""
        running = sum(trial.rung - trial.fold_epochs for trial in study.climbing())
        if self.fold_epochs is not None and study.fold_epochs + running + fold_epochs > self.fold_epochs:
            return False
        seconds = study.seconds_per_fold_epoch()
        if self.seconds is None or not seconds:
            return True
        return study.seconds_spent(now) + RESERVE * fold_epochs * seconds <= self.seconds

    def fold_epochs_left(self, study: StudyState, slots: int, now: float) -> float:
        """Return the fold-epochs that can still be afforded, at the speed so far; infinite without a limit."""
        left = float("inf") if self.fold_epochs is None else self.fold_epochs - study.fold_epochs
        seconds = study.seconds_per_fold_epoch()
        if self.seconds is not None and seconds:
            left = min(left, (self.seconds - study.seconds_spent(now)) * slots / (seconds * RESERVE))
        return max(0.0, left)


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
        if trial.fold_epochs not in (0, *ladder.rungs) or trial.interrupted or not trial.fold_epochs:
            return Climb(trial.number, ladder.next_rung(trial.fold_epochs))
        if trial.origin == "recipe":  # nobody compares with it: it goes fold by fold
            return Climb(
                trial.number, next(rung for rung in ladder.rungs if rung > trial.fold_epochs and rung >= ladder.epochs)
            )
    ladder = within(budget, ladder, study, slots, now)
    outlook = look_ahead(study, ladder, budget, slots, now)
    return ladder.choose(study, outlook) or _when_idle(study, "every trial has gone as far as it has earned")


def stop_reason(study: StudyState, ladder: Ladder, budget: Budget, now: float) -> str | None:
    """Return why nothing new may begin, None while something may."""
    if reason := budget.spent(study, now, len(study.climbing()) + 1):
        return reason
    if budget.target_score is not None:
        for trial in study.trials.values():
            score = trial.score_at(ladder.top)
            if score is not None and score >= budget.target_score:
                return f"trial {trial.number} reached {score:.3f} over all folds, the target is {budget.target_score:g}"
    if failure := alike(study):
        return f"the first {SAME_FAILURES} trials of this launch failed alike ({failure.failure}): {failure.reason}"
    return None


def alike(study: StudyState) -> TrialState | None:
    """Return one of the first trials of a launch if all of them failed in one way, None otherwise."""
    first = study.climbed_since_launch[:SAME_FAILURES]
    failures = {study.trials[number].failure for number in first}
    return study.trials[first[0]] if len(first) == SAME_FAILURES and len(failures) == 1 and failures != {None} else None


def within(budget: Budget, ladder: Ladder, study: StudyState, slots: int, now: float) -> Ladder:
    """Return the ladder with no more finalists than the budget can bring through all folds and still search."""
    purse = _purse(study, ladder, budget, slots, now)
    if purse == float("inf"):
        return ladder
    return replace(ladder, finalists=max(1, min(ladder.finalists, int(FINALS_SHARE * purse / ladder.top))))


def look_ahead(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> Outlook:
    """Return how many contenders the budget will pay for, whether one more may begin, and whether the finals are due."""
    recipes = len(study.trials) - len(competitors(study))
    contenders = budget.trials - recipes
    purse = _purse(study, ladder, budget, slots, now)
    if purse != float("inf"):
        contenders = min(contenders, _affordable(ladder, purse, contenders))
    begun = len(study.trials) - recipes
    return Outlook(
        contenders=max(contenders, begun),
        open=begun < contenders and budget.reaches(study, now, ladder.rungs[0]),
        finals_due=_finals_are_due(study, ladder, budget, slots, now),
        may_guess=budget.fold_epochs is None,
    )


def _when_idle(study: StudyState, reason: str) -> Wait | Finished:
    return Wait() if study.climbing() else Finished(reason)


def _purse(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> float:
    """Return the fold-epochs that competitors have taken and may still take; infinite without a limit."""
    unfinished = [trial for trial in study.trials.values() if trial.origin == "recipe" and trial.failure is None]
    owed = sum(ladder.top - trial.fold_epochs for trial in unfinished)
    taken = sum(trial.fold_epochs for trial in competitors(study))
    return taken + budget.fold_epochs_left(study, slots, now) - owed


def _affordable(ladder: Ladder, purse: float, most: int) -> int:
    """Return how many contenders a purse brings through the ladder, finals included.

    If it is too small for a single finalist, the first rung still gets its half.
    """
    fitting = bisect_right(range(1, most + 1), purse, key=ladder.cost)
    return fitting or int(SEARCH_SHARE * purse / ladder.rungs[0])


def _finals_are_due(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> bool:
    """Tell whether what is left is only just enough to finish the recipe and the finalists."""
    if budget.seconds is None and budget.fold_epochs is None:
        return False
    if ladder.finalists >= budget.trials or not ladder.finals(study):
        return False
    unfinished = [*ladder.finals(study), *(trial for trial in study.trials.values() if trial.origin == "recipe")]
    lacking = [ladder.top - trial.fold_epochs for trial in unfinished]
    if budget.fold_epochs is not None and study.fold_epochs >= SEARCH_SHARE * budget.fold_epochs:
        running = sum(trial.rung - trial.fold_epochs for trial in study.climbing() if trial not in unfinished)
        if study.fold_epochs + running + sum(lacking) >= budget.fold_epochs:
            return True
    seconds, spent = study.seconds_per_fold_epoch(), study.seconds_spent(now)
    if budget.seconds is None or seconds is None or spent < SEARCH_SHARE * budget.seconds:
        return False
    makespan = max([*lacking, sum(lacking) / slots]) * seconds
    return spent + RESERVE * makespan >= budget.seconds
