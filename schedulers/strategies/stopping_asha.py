"""Ray's ASHA, as `ray.tune.schedulers.AsyncHyperBandScheduler` decides with one bracket: it stops, it never promotes.

A trial that reaches a rung goes on unless its score is below the best 1/reduction_factor of those that were there
before it; so the first trials pass every rung. Rungs multiply by `reduction_factor` through all folds.
"""

from dataclasses import dataclass, field
from math import isfinite

import numpy as np

from schedulers.ladder import Climb, ComparesEarly, NewTrial, Outlook, competitors
from studies.study_state import StudyState, TrialState


@dataclass(frozen=True)
class StoppingAsha(ComparesEarly):
    """Lets a trial run on until it is worse than most that came before it."""

    reduction_factor: int = field(default=3, kw_only=True)  # one in so many runs on; so many times the rung below

    @property
    def rungs(self) -> tuple[int, ...]:
        """Return the rungs of the rule through all folds, and the top."""
        rungs, rung = [], self.grace_period
        while rung < self.top:
            rungs.append(rung)
            rung *= self.reduction_factor
        return (*rungs, self.top)

    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return a trial that may run on, else a new one."""
        for trial in competitors(study):
            resting = not trial.climbing and trial.failure is None and 0 < trial.fold_epochs < self.top
            if resting and self._passes(study, trial):
                return Climb(trial.number, self.next_rung(trial.fold_epochs))
        return NewTrial() if outlook.open and not outlook.finals_due else None

    def cost(self, contenders: int) -> float:
        """Return the fold-epochs of so many contenders if every rung stops its share exactly."""
        total, below = 0.0, 0
        standing = float(contenders)
        for rung in self.rungs:
            total += standing * (rung - below)
            standing, below = max(1.0, standing / self.reduction_factor), rung
        return total

    def places(self, rung: int, reached: int) -> int:
        """Return the share of a rung that runs on."""
        return reached // self.reduction_factor

    def _passes(self, study: StudyState, trial: TrialState) -> bool:
        rung = trial.fold_epochs
        arrived = trial.arrivals[rung - 1]
        before = [
            score
            for other in study.trials.values()
            if (score := other.score_at(rung)) is not None and isfinite(score) and other.arrivals[rung - 1] < arrived
        ]
        cutoff = np.percentile(before, 100 * (1 - 1 / self.reduction_factor)) if before else -np.inf
        return (trial.score_at(rung) or 0.0) >= cutoff
