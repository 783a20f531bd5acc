"""What fits into a time budget at the speed that was measured, and what would fit if not even the recipe does."""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

from schedulers.spending.budget import RESERVE, Budget
from schedulers.spending.forecast import AnyScore
from schedulers.spending.makespan import makespan
from schedulers.spending.simulation import Simulation
from schedulers.strategy import Strategy
from search_spaces.durations import duration_option, spell_duration
from studies.state.study_state import StudyState

_LEAST_IMAGE = 32  # pixels: advice names no smaller one, and multiples of it
_SIMULATED = 300  # configurations at most; more are a matter of days, and no plan


@dataclass(frozen=True)
class Plan:
    """What a search in so many seconds is expected to come to: configurations that begin, and those trained on all folds."""

    configurations: int
    complete: int

    def spelled(self) -> str:
        """Return the plan in words."""
        return f"about {self.configurations} configurations, {self.complete} of them in full"


def planned(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> Plan | None:
    """Return what fits into a time budget; None without one, or before the first epoch.

    The search is simulated with scores that say nothing, each fold-epoch as long as the measured ones. What was lost so far, such
    as on starting processes, is lost to it too.
    """
    seconds = study.seconds_per_fold_epoch()
    if budget.seconds is None or seconds is None:
        return None
    lost = max(0.0, elapsed - (study.fold_epochs + study.climbs()) * seconds / slots)
    limited = replace(
        budget,
        trials=min(budget.trials, _SIMULATED),
        seconds=max(0.0, budget.seconds - lost),
        target_score=None,
        worth=None,
    )
    found = Simulation(strategy, limited, slots, AnyScore(seconds)).run()
    complete = sum(strategy.rungs.top in trial.scores for trial in found.trials.values())
    return Plan(len(found.trials), complete)


def advice(study: StudyState, strategy: Strategy, budget: Budget, slots: int, recipe: dict[str, Any]) -> str:
    """Return what would fit where the time budget is too short for the recipe on all folds.

    Raises:
        ValueError: there is no time budget, or no epoch was measured.
    """
    if budget.seconds is None or study.seconds_per_fold_epoch() is None:
        raise ValueError("no time budget, or no measured epoch")
    folds, needed = strategy.folds, seconds_for_recipe(study, strategy, slots, strategy.folds)
    fewer = [few for few in range(2, folds) if seconds_for_recipe(study, strategy, slots, few) <= budget.seconds]
    smaller = int(recipe.get("image_size", 0) * sqrt(budget.seconds / needed)) // _LEAST_IMAGE * _LEAST_IMAGE
    others = [*([f"search.folds={fewer[-1]}"] if fewer else []), *([f"image_size={smaller}"] if smaller else [])]
    new = f"; a new study would fit with {' or '.join(others)}" if others else ""
    return (
        f"too short for the recipe on all {folds} folds, which takes about {spell_duration(round(needed))}:"
        f" --time-budget {duration_option(max(needed, budget.seconds + 1))} has room for it{new}"
    )


def seconds_for_recipe(study: StudyState, strategy: Strategy, slots: int, folds: int) -> float:
    """Return how long the recipe takes on some folds, with a reserve, at the measured speed; 0 before the first epoch."""
    epochs = makespan([strategy.epochs] * folds, slots)
    return RESERVE * epochs * (study.seconds_per_fold_epoch() or 0.0)
