"""What a budget leaves a strategy to decide on: how many finalists, how many contenders, and when the finals are due."""

from bisect import bisect_right
from dataclasses import replace

from schedulers.spending.budget import RESERVE, Budget
from schedulers.spending.makespan import makespan
from schedulers.strategy import Outlook, Strategy
from studies.state.ranking import competitors
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

SEARCH_SHARE = 0.4  # of a budget goes to searching before finalists may take the rest of it
FIRST_RUNG_SHARE = 0.5  # of a budget that is too small for a single finalist goes to first rungs
FINALS_SHARE = 0.75  # of a budget is the most that finalists may need: with less there are fewer of them


def affordable_strategy(budget: Budget, strategy: Strategy, study: StudyState, slots: int, elapsed: float) -> Strategy:
    """Return the strategy with no more finalists than the budget can bring through all folds and still search."""
    afforded = _for_competitors(study, strategy, budget, slots, elapsed)
    if afforded == float("inf"):
        return strategy
    finalists = min(strategy.finalists, int(FINALS_SHARE * afforded / strategy.rungs.whole))
    while finalists > 1 and not _are_in_time(finalists, study, strategy, budget, slots, elapsed):
        finalists -= 1
    return replace(strategy, finalists=max(1, finalists))


def _are_in_time(
    finalists: int, study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float
) -> bool:
    """Tell whether so many finalists can be through all folds in their share of the time, however many slots there are.

    A fold is trained in one slot, and finalists are known when their first one is done.
    """
    seconds = study.seconds_per_fold_epoch()
    if budget.seconds is None or seconds is None:
        return True
    taken = sum(trial.fold_epochs for trial in competitors(study)) * seconds / slots
    epochs = strategy.epochs + makespan([strategy.epochs] * ((strategy.folds - 1) * finalists), slots)
    return RESERVE * epochs * seconds <= FINALS_SHARE * (taken + budget.seconds - elapsed)


def look_ahead(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> Outlook:
    """Return how many contenders the budget will pay for, whether one more may begin, and whether the finals are due."""
    recipes = len(study.trials) - len(competitors(study))
    contenders = budget.trials - recipes
    afforded = _for_competitors(study, strategy, budget, slots, elapsed)
    if afforded != float("inf"):
        contenders = min(contenders, _affordable(strategy, afforded, contenders))
    begun = len(study.trials) - recipes
    if study.closed is not None:
        contenders = begun
    first = strategy.rungs.cost(strategy.rungs.first)
    return Outlook(
        contenders=max(contenders, begun),
        open=begun < contenders and budget.reaches(study, elapsed, first, owed_to_recipe(study, strategy)),
        finals_due=_finals_are_due(study, strategy, budget, slots, elapsed),
        may_promote_early=budget.fold_epochs is None,
    )


def owed_to_recipe(study: StudyState, strategy: Strategy) -> int:
    """Return the fold-epochs that the recipe still needs to get to the top: nobody else may have them."""
    return sum(strategy.rungs.whole - trial.fold_epochs for trial in _recipes_to_finish(study))


def under_way(study: StudyState, strategy: Strategy, trial: TrialState | None) -> int:
    """Return the fold-epochs that run, each climb's one, and as far as `trial` is concerned all that the recipe is owed.

    `trial` is the one that wants to train on, None for one that has not begun.
    """
    if trial is not None and trial.origin == "recipe":
        return study.climbs()
    return sum(len(other.climbs) for other in study.climbing() if other.origin != "recipe") + owed_to_recipe(
        study, strategy
    )


def _for_competitors(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> float:
    """Return the fold-epochs that competitors have taken and may still take; infinite without a limit."""
    taken = sum(trial.fold_epochs for trial in competitors(study))
    return taken + budget.fold_epochs_left(study, slots, elapsed) - owed_to_recipe(study, strategy)


def _recipes_to_finish(study: StudyState) -> list[TrialState]:
    return [trial for trial in study.trials.values() if trial.origin == "recipe" and trial.failure is None]


def _affordable(strategy: Strategy, afforded: float, most: int) -> int:
    """Return how many contenders so many fold-epochs bring through the ladder, finals included.

    If it is too small for a single finalist, the first rung still gets its share.
    """
    fitting = bisect_right(range(1, most + 1), afforded, key=strategy.cost)
    return fitting or int(FIRST_RUNG_SHARE * afforded / strategy.rungs.cost(strategy.rungs.first))


def _finals_are_due(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> bool:
    """Tell whether what is left is only just enough to finish the recipe and the finalists."""
    if budget.seconds is None and budget.fold_epochs is None:
        return False
    if strategy.finalists >= budget.trials or not strategy.finals(study):
        return False
    unfinished = [*strategy.finals(study), *_recipes_to_finish(study)]
    lacking = [strategy.rungs.whole - trial.fold_epochs for trial in unfinished]
    if budget.fold_epochs is not None and study.fold_epochs >= SEARCH_SHARE * budget.fold_epochs:
        running = sum(trial.remaining() for trial in study.climbing() if trial not in unfinished)
        if study.fold_epochs + running + sum(lacking) >= budget.fold_epochs:
            return True
    seconds = study.seconds_per_fold_epoch()
    if budget.seconds is None or seconds is None or elapsed < SEARCH_SHARE * budget.seconds:
        return False
    folds = [left for trial in unfinished for left in folds_left(study, strategy, trial)]
    return elapsed + RESERVE * makespan(folds, slots) * seconds >= budget.seconds


def folds_left(study: StudyState, strategy: Strategy, trial: TrialState, folds: int | None = None) -> list[float]:
    """Return what every unfinished fold of a trial takes, of its first `folds` or of all, in fold-epochs of a usual trial."""
    cost, epochs = study.relative_cost(trial), strategy.epochs
    left = [epochs - trial.epochs_of(fold) for fold in range(strategy.folds if folds is None else folds)]
    return [cost * epochs for epochs in left if epochs]
