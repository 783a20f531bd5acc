"""Ray's ASHA, as `ray.tune.schedulers.AsyncHyperBandScheduler` decides with one bracket: it stops, it never promotes.

A trial that reaches a rung goes on unless its score is below the best 1/reduction_factor of those that were there
before it; so the first trials pass every rung. Rungs multiply by `reduction_factor` through all folds; beyond the first fold
they are at the ends of folds.
"""

from dataclasses import dataclass, field
from functools import cached_property
from math import ceil, isfinite

import numpy as np

from schedulers.strategy import Climb, ComparesEarly, NewTrial, Outlook
from studies.state.ranking import competitors
from studies.state.rungs import Rung, Rungs
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


@dataclass(frozen=True)
class StoppingAsha(ComparesEarly):
    """Lets a trial run on until it is worse than most that came before it."""

    reduction_factor: int = field(default=3, kw_only=True)  # one in so many runs on; so many times the rung below

    @cached_property
    def rungs(self) -> Rungs:
        """Return the rungs of the rule through all folds, and the top."""
        levels, fold_epochs = set[Rung](), self.grace_period
        while fold_epochs < self.epochs * self.folds:
            folds = ceil(fold_epochs / self.epochs)
            levels.add(Rung(folds, fold_epochs if folds == 1 else self.epochs))
            fold_epochs *= self.reduction_factor
        top = Rung(self.folds, self.epochs)
        return Rungs(folds=self.folds, epochs=self.epochs, levels=tuple(sorted({*levels, top})))

    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return a trial that may run on, else a new one."""
        for trial in competitors(study):
            rung = trial.standing(self.rungs)
            may_go_on = not trial.climbing and trial.failure is None and rung not in (None, self.rungs.top)
            if not may_go_on or rung is None:
                continue
            on_its_way = trial.fold_epochs > self.rungs.cost(rung)
            if on_its_way or self._passes(study, trial, rung):
                return self.climb(trial)
        return NewTrial() if outlook.open and not outlook.finals_due else None

    def cost(self, contenders: int) -> float:
        """Return the fold-epochs of so many contenders if every rung stops its share exactly."""
        total, below = 0.0, 0
        standing = float(contenders)
        for rung in self.rungs.levels:
            total += standing * (self.rungs.cost(rung) - below)
            standing, below = max(1.0, standing / self.reduction_factor), self.rungs.cost(rung)
        return total

    def places(self, rung: Rung, reached: int) -> int:
        """Return the share of a rung that runs on."""
        return reached // self.reduction_factor

    def _passes(self, study: StudyState, trial: TrialState, rung: Rung) -> bool:
        arrived = trial.arrivals[rung]
        before = [
            score
            for other in study.trials.values()
            if (score := other.score_at(rung)) is not None and isfinite(score) and other.arrivals[rung] < arrived
        ]
        cutoff = np.percentile(before, 100 * (1 - 1 / self.reduction_factor)) if before else -np.inf
        return (trial.score_at(rung) or 0.0) >= cutoff
