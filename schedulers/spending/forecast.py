"""What a search will cost, before it has begun and while it runs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from schedulers.proposal import Proposal
from schedulers.spending.affordable import affordable_strategy, folds_left, look_ahead
from schedulers.spending.budget import Budget
from schedulers.spending.critical_path import critical_path
from schedulers.spending.makespan import makespan
from schedulers.spending.simulation import Simulation
from schedulers.strategy import Strategy
from studies.state.ranking import competitors
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

_ENOUGH = 5  # trials begun before their cost says what the next ones will cost


@dataclass(frozen=True)
class Forecast:
    """The seconds of search that are left, with the least and the most that it may be."""

    left: float
    least: float
    most: float


class Forecasts:
    """A study's own forecasts so far: how much they wander says how far the last one may be off."""

    _OFF = 0.15  # about the median over the recorded curves, half way
    _GROWTH = 1.05  # of the search time from one forecast that is kept to the next

    def __init__(self) -> None:
        self._kept: list[tuple[float, float]] = []  # search time at that moment, and at the end that was expected

    def wants(self, elapsed: float) -> bool:
        """Tell whether a forecast after so many seconds of search would be kept: not right after another."""
        return not self._kept or elapsed > self._kept[-1][0] * self._GROWTH

    def take(self, elapsed: float, left: float) -> None:
        """Keep a forecast that was made after so many seconds of search."""
        if self.wants(elapsed):
            self._kept.append((elapsed, elapsed + left))

    def forecast(
        self, study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float
    ) -> Forecast | None:
        """Return how long the search will still take, the least and the most; None before the first epoch."""
        left = seconds_left(study, strategy, budget, slots, elapsed)
        if left is None:
            return None
        limit = None if budget.seconds is None else budget.seconds - elapsed
        return Forecast(left, *self.between(elapsed, left, limit))

    def between(self, elapsed: float, left: float, limit: float | None = None) -> tuple[float, float]:
        """Return the least and the most time that the search may still take; at most `limit`, which its time budget leaves.

        It is what the forecasts since half of the search so far leave, this one included, and a share that forecasts are off
        at any rate. How often the end comes in between: `benchmarks.replay`.
        """
        since_half = [left, *(max(0.0, end - elapsed) for at, end in self._kept if at >= elapsed / 2)]
        most = max(since_half) * (1 + self._OFF)
        return min(since_half) * (1 - self._OFF), most if limit is None else min(most, max(left, limit))


class AnyScore:
    """Scores that neither rise nor cross, one number a trial; every fold-epoch takes as long."""

    def __init__(self, seconds: float = 1.0) -> None:
        self._seconds = seconds
        self._generator = np.random.default_rng(0)

    def propose(self, number: int, study: StudyState) -> Proposal:
        return Proposal({"score": float(self._generator.random())}, "recipe" if number == 0 else "simulated")

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        return float(trial.configuration["score"])

    def seconds(self, trial: TrialState) -> float:
        return self._seconds


def expected_fold_epochs(strategy: Strategy, budget: Budget) -> int:
    """Return the fold-epochs that a budget's trials take, whatever the scores; a time budget is left out."""
    unlimited = replace(budget, seconds=None, target_score=None)
    return Simulation(strategy, unlimited, 1, AnyScore()).run().fold_epochs


def seconds_left(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> float | None:
    """Return how long the search will still take, from measured epochs and rung survival; None before the first epoch.

    A time budget bounds it. How far it is off on recorded curves: `benchmarks.replay`.
    """
    seconds = study.seconds_per_fold_epoch()
    bounds = [] if budget.seconds is None else [max(0.0, budget.seconds - elapsed)]
    if seconds is not None:
        bounds.append(_fold_epochs_left(study, strategy, budget, slots, elapsed) * seconds)
    return min(bounds, default=None)


def _fold_epochs_left(study: StudyState, strategy: Strategy, budget: Budget, slots: int, elapsed: float) -> float:
    """Return what is left in fold-epochs of one slot, those of a slower trial counted for more.

    Work is shared by all slots, and the epochs of a fold come one after the other.
    """
    strategy = affordable_strategy(budget, strategy, study, slots, elapsed)
    trials = competitors(study)
    recipes = [trial for trial in study.trials.values() if trial.origin == "recipe" and trial.failure is None]
    recipe = [left for trial in recipes for left in folds_left(study, strategy, trial)]
    finals = [left for trial, folds in _raced(strategy, study) for left in folds_left(study, strategy, trial, folds)]
    running = [trial.remaining() * study.relative_cost(trial) / len(trial.climbs) for trial in study.climbing()]
    expected = _cost(strategy, look_ahead(study, strategy, budget, slots, elapsed).contenders) * _pace(strategy, trials)
    open_work = max(expected - sum(trial.fold_epochs for trial in trials), sum(finals))
    path = critical_path(study, strategy, open_work, slots)
    return max((open_work + sum(recipe)) / slots, makespan([*recipe, *finals], slots), path, *running, 0.0)


def _raced(strategy: Strategy, study: StudyState) -> Iterator[tuple[TrialState, int]]:
    """Yield the finalists, best first, with the folds that the race is expected to leave each."""
    for place, trial in enumerate(strategy.finals(study)):
        folds = strategy.folds_expected(leads=place == 0)
        yield trial, folds if len(trial.fold_scores(strategy.epochs)) < folds else strategy.folds


def _cost(strategy: Strategy, contenders: int) -> float:
    """Return what so many trials take when the race leaves its leader alone at the top."""
    leaving = max(0, min(strategy.finalists, contenders) - 1) if strategy.has_finals else 0
    short = strategy.folds - strategy.folds_expected(leads=False)
    return strategy.cost(contenders) - leaving * short * strategy.epochs


def _pace(strategy: Strategy, trials: list[TrialState]) -> float:
    """Return how many times the expected cost the trials so far have taken; 1 for a ladder that fills given places."""
    if len(trials) < _ENOUGH or strategy.has_finals:
        return 1.0
    return sum(trial.fold_epochs for trial in trials) / strategy.cost(len(trials))
