"""What a budget leaves a strategy to decide on: how many finalists, how many contenders, and when the finals are due."""

from bisect import bisect_right
from dataclasses import replace

from schedulers.ladder import Ladder, Outlook, competitors
from schedulers.spending.budget import RESERVE, Budget
from studies.study_state import StudyState, TrialState

SEARCH_SHARE = 0.4  # of a budget goes to searching before finalists may take the rest of it
FIRST_RUNG_SHARE = 0.5  # of a budget that is too small for a single finalist goes to first rungs
FINALS_SHARE = 0.75  # of a budget is the most that finalists may need: with less there are fewer of them


def affordable_ladder(budget: Budget, ladder: Ladder, study: StudyState, slots: int, now: float) -> Ladder:
    """Return the ladder with no more finalists than the budget can bring through all folds and still search."""
    afforded = _for_competitors(study, ladder, budget, slots, now)
    if afforded == float("inf"):
        return ladder
    return replace(ladder, finalists=max(1, min(ladder.finalists, int(FINALS_SHARE * afforded / ladder.top))))


def look_ahead(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> Outlook:
    """Return how many contenders the budget will pay for, whether one more may begin, and whether the finals are due."""
    recipes = len(study.trials) - len(competitors(study))
    contenders = budget.trials - recipes
    afforded = _for_competitors(study, ladder, budget, slots, now)
    if afforded != float("inf"):
        contenders = min(contenders, _affordable(ladder, afforded, contenders))
    begun = len(study.trials) - recipes
    if study.closed is not None:
        contenders = begun
    return Outlook(
        contenders=max(contenders, begun),
        open=begun < contenders and budget.reaches(study, now, ladder.rungs[0], owed_to_recipe(study, ladder)),
        finals_due=_finals_are_due(study, ladder, budget, slots, now),
        may_promote_early=budget.fold_epochs is None,
    )


def owed_to_recipe(study: StudyState, ladder: Ladder) -> int:
    """Return the fold-epochs that the recipe still needs to get to the top: nobody else may have them."""
    return sum(ladder.top - trial.fold_epochs for trial in _recipes_to_finish(study))


def under_way(study: StudyState, ladder: Ladder, trial: TrialState | None) -> int:
    """Return the fold-epochs that run, each climb's one, and as far as `trial` is concerned all that the recipe is owed.

    `trial` is the one that wants to train on, None for one that has not begun.
    """
    if trial is not None and trial.origin == "recipe":
        return len(study.climbing())
    return sum(other.origin != "recipe" for other in study.climbing()) + owed_to_recipe(study, ladder)


def _for_competitors(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> float:
    """Return the fold-epochs that competitors have taken and may still take; infinite without a limit."""
    taken = sum(trial.fold_epochs for trial in competitors(study))
    return taken + budget.fold_epochs_left(study, slots, now) - owed_to_recipe(study, ladder)


def _recipes_to_finish(study: StudyState) -> list[TrialState]:
    return [trial for trial in study.trials.values() if trial.origin == "recipe" and trial.failure is None]


def _affordable(ladder: Ladder, afforded: float, most: int) -> int:
    """Return how many contenders so many fold-epochs bring through the ladder, finals included.

    If it is too small for a single finalist, the first rung still gets its share.
    """
    fitting = bisect_right(range(1, most + 1), afforded, key=ladder.cost)
    return fitting or int(FIRST_RUNG_SHARE * afforded / ladder.rungs[0])


def _finals_are_due(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> bool:
    """Tell whether what is left is only just enough to finish the recipe and the finalists."""
    if budget.seconds is None and budget.fold_epochs is None:
        return False
    if ladder.finalists >= budget.trials or not ladder.finals(study):
        return False
    unfinished = [*ladder.finals(study), *_recipes_to_finish(study)]
    lacking = [ladder.top - trial.fold_epochs for trial in unfinished]
    if budget.fold_epochs is not None and study.fold_epochs >= SEARCH_SHARE * budget.fold_epochs:
        running = sum(trial.rung - trial.fold_epochs for trial in study.climbing() if trial not in unfinished)
        if study.fold_epochs + running + sum(lacking) >= budget.fold_epochs:
            return True
    seconds, spent = study.seconds_per_fold_epoch(), study.seconds_spent(now)
    if budget.seconds is None or seconds is None or spent < SEARCH_SHARE * budget.seconds:
        return False
    costs = [left * study.relative_cost(trial) for left, trial in zip(lacking, unfinished, strict=True)]
    makespan = max([*costs, sum(costs) / slots]) * seconds
    return spent + RESERVE * makespan >= budget.seconds
