"""What a search will cost, before it has begun and while it runs."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from schedulers.ladder import Ladder, competitors
from schedulers.proposal import Proposal
from schedulers.spending.affordable import affordable_ladder, look_ahead
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from studies.study_state import StudyState, TrialState

_ENOUGH = 5  # trials begun before their cost says what the next ones will cost


class Forecasts:
    """What a study's own forecasts have said so far: how much they wander says how far the last one may be off."""

    _OFF = 0.15  # about the median over the recorded curves, half way
    _GROWTH = 1.05  # of the search time from one forecast that is kept to the next

    def __init__(self) -> None:
        self._kept: list[tuple[float, float]] = []  # search time at that moment, and at the end that was expected

    def wants(self, spent: float) -> bool:
        """Tell whether a forecast after so many seconds of search would be kept: not right after another."""
        return not self._kept or spent > self._kept[-1][0] * self._GROWTH

    def take(self, spent: float, left: float) -> None:
        """Keep a forecast that was made after so many seconds of search."""
        if self.wants(spent):
            self._kept.append((spent, spent + left))

    def between(self, spent: float, left: float, limit: float | None = None) -> tuple[float, float]:
        """Return the least and the most time that the search may still take; at most `limit`, which its time budget leaves.

        It is what the forecasts since half of the search so far leave, this one included, and a share that forecasts are off
        at any rate. How often the end comes in between: `benchmarks.replay`.
        """
        since_half = [left, *(max(0.0, end - spent) for at, end in self._kept if at >= spent / 2)]
        most = max(since_half) * (1 + self._OFF)
        return min(since_half) * (1 - self._OFF), most if limit is None else min(most, max(left, limit))


class _AnyScore:
    """Scores that neither rise nor cross: one number a trial."""

    def __init__(self) -> None:
        self._generator = np.random.default_rng(0)

    def propose(self, number: int, study: StudyState) -> Proposal:
        return Proposal({"score": float(self._generator.random())}, "recipe" if number == 0 else "simulated")

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        return float(trial.configuration["score"])

    def seconds(self, trial: TrialState) -> float:
        return 1.0


def expected_fold_epochs(ladder: Ladder, budget: Budget) -> int:
    """Return the fold-epochs that a budget's trials take, whatever the scores; a time budget is left out."""
    unlimited = replace(budget, seconds=None, target_score=None)
    return Simulation(ladder, unlimited, 1, _AnyScore()).run().fold_epochs


def forecast_range(
    study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float, forecasts: Forecasts
) -> tuple[float, float, float] | None:
    """Return how long the search will still take, the least and the most; None before the first epoch. Keep the forecast."""
    left = seconds_left(study, ladder, budget, slots, now)
    if left is None:
        return None
    spent = study.seconds_spent(now)
    forecasts.take(spent, left)
    limit = None if budget.seconds is None else budget.seconds - spent
    return (left, *forecasts.between(spent, left, limit))


def seconds_left(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> float | None:
    """Return how long the search will still take, from measured epochs and rung survival; None before the first epoch.

    A time budget bounds it. How far it is off on recorded curves: `benchmarks.replay`.
    """
    seconds = study.seconds_per_fold_epoch()
    bounds = [] if budget.seconds is None else [max(0.0, budget.seconds - study.seconds_spent(now))]
    if seconds is not None:
        bounds.append(_fold_epochs_left(study, ladder, budget, slots, now) * seconds)
    return min(bounds, default=None)


def _fold_epochs_left(study: StudyState, ladder: Ladder, budget: Budget, slots: int, now: float) -> float:
    """Return what is left in fold-epochs of one slot, those of a slower trial counted for more.

    Work is shared by all slots, but a trial's folds come one after the other.
    """
    ladder = affordable_ladder(budget, ladder, study, slots, now)
    trials = competitors(study)
    recipes = [trial for trial in study.trials.values() if trial.origin == "recipe" and trial.failure is None]
    recipe = sum((ladder.top - trial.fold_epochs) * study.relative_cost(trial) for trial in recipes)
    finals = [
        max(0, length - trial.fold_epochs) * study.relative_cost(trial)
        for trial, length in _raced(ladder, ladder.finals(study))
    ]
    running = [(trial.rung - trial.fold_epochs) * study.relative_cost(trial) for trial in study.climbing()]
    expected = _cost(ladder, look_ahead(study, ladder, budget, slots, now).contenders) * _pace(ladder, trials)
    open_work = max(expected - sum(trial.fold_epochs for trial in trials), sum(finals))
    return max((open_work + recipe) / slots, recipe, *finals, *running, 0.0)


def _raced(ladder: Ladder, finals: list[TrialState]) -> Iterator[tuple[TrialState, int]]:
    """Yield the finalists, best first, with the fold-epochs that the race is expected to leave each."""
    for place, trial in enumerate(finals):
        yet = ladder.folds_expected(leads=place == 0) * ladder.epochs
        yield trial, yet if trial.fold_epochs < yet else ladder.top


def _cost(ladder: Ladder, contenders: int) -> float:
    """Return what so many trials take when the race leaves its leader alone at the top."""
    leaving = max(0, min(ladder.finalists, contenders) - 1) if ladder.has_finals else 0
    short = ladder.folds - ladder.folds_expected(leads=False)
    return ladder.cost(contenders) - leaving * short * ladder.epochs


def _pace(ladder: Ladder, trials: list[TrialState]) -> float:
    """Return how many times the expected cost the trials so far have taken; 1 for a ladder that fills given places."""
    if len(trials) < _ENOUGH or ladder.has_finals:
        return 1.0
    return sum(trial.fold_epochs for trial in trials) / ladder.cost(len(trials))
