"""What fits into a time budget at the speed that was measured, and what would fit if not even the recipe does."""

from dataclasses import dataclass, replace
from math import sqrt

from schedulers.spending.budget import RESERVE, Budget
from schedulers.spending.forecast import AnyScore
from schedulers.spending.makespan import makespan
from schedulers.spending.simulation import Simulation
from schedulers.strategy import Strategy
from search_spaces.durations import duration_option, spell_duration
from studies.state.study_state import StudyState

_PIXELS = 32  # advice names multiples of so many
_SIMULATED = 300  # configurations at most; more are a matter of days, and no plan


@dataclass(frozen=True)
class Plan:
    """What a search under a time budget is expected to come to; times are in seconds of search."""

    budget: float
    configurations: int  # that begin
    complete: int  # that are trained on all folds
    first_fold: float  # when it is finished there is something to export
    recipe: tuple[float, ...]  # when the recipe would be through one fold, two folds and so on, with a reserve

    def spelled(self, image_size: int = 0) -> str:
        """Return what fits in words, or what would fit if the recipe does not; `image_size` is the recipe's, 0 if unknown."""
        if self.complete or self.recipe[-1] <= self.budget:  # other budgets may end it before
            first = f"something to export after about {spell_duration(self.first_fold)}"
            configurations = "1 configuration" if self.configurations == 1 else f"{self.configurations} configurations"
            return f"about {configurations}, {self.complete} of them in full; {first}"
        folds, needed = len(self.recipe), self.recipe[-1]
        others = " or ".join(self._others(image_size))
        return (
            f"too short for the recipe on all {folds} folds, which takes about {spell_duration(needed)}:"
            f" --time-budget {duration_option(max(needed, self.budget + 1))} has room for it"
            + (f"; a new study would fit with {others}" if others else "")
        )

    def _others(self, image_size: int) -> list[str]:
        """Return the settings of a new study that would fit: fewer folds, smaller images."""
        fewer = [folds for folds, needed in enumerate(self.recipe, 1) if folds > 1 and needed <= self.budget]
        smaller = int(image_size * sqrt(self.budget / self.recipe[-1])) // _PIXELS * _PIXELS
        return [*([f"search.folds={fewer[-1]}"] if fewer else []), *([f"image_size={smaller}"] if smaller else [])]


def planned(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> Plan | None:
    """Return what fits into a time budget; None without one, or before the first epoch.

    The search is simulated with scores that say nothing, each fold-epoch as long as the measured ones. What was lost so far, such
    as on starting processes, is lost to it too.
    """
    seconds = study.seconds_per_fold_epoch()
    if budget.seconds is None or seconds is None:
        return None
    lost = max(0.0, elapsed - (study.fold_epochs + study.climbs()) * seconds / slots)
    trials, left = min(budget.trials, _SIMULATED), max(0.0, budget.seconds - lost)
    limited = replace(budget, trials=trials, seconds=left, target_score=None, worth=None)
    found = Simulation(strategy, limited, slots, AnyScore(seconds)).run()
    return Plan(
        budget.seconds,
        len(found.trials),
        sum(strategy.rungs.top in trial.scores for trial in found.trials.values()),
        lost + strategy.epochs * seconds,
        tuple(lost + seconds_for_recipe(study, strategy, slots, folds) for folds in range(1, strategy.folds + 1)),
    )


def seconds_for_recipe(study: StudyState, strategy: Strategy, slots: int, folds: int) -> float:
    """Return how long the recipe takes on some folds, with a reserve, at the measured speed; 0 before the first epoch."""
    epochs = makespan([strategy.epochs] * folds, slots)
    return RESERVE * epochs * (study.seconds_per_fold_epoch() or 0.0)
