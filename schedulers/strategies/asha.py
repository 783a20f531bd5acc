"""ASHA: successive halving with eager promotion, on the rungs of the fold ladder.

Li et al., "A System for Massively Parallel Hyperparameter Tuning", MLSys 2020, algorithm 2. The best
1/reduction_factor of the trials seen so far go on at once; with the last trial begun at least as many as the finals have
places.
"""

from dataclasses import dataclass, field

from schedulers.strategies.finals import Finals, final_climb
from schedulers.strategy import Climb, NewTrial, Outlook
from studies.state.ranking import competitors, ranked_at
from studies.state.rungs import Rung
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


@dataclass(frozen=True)
class Asha(Finals):
    """Promotes whoever is in the best share now, highest rung first."""

    reduction_factor: int = field(default=3, kw_only=True)  # one in so many goes on; so many times the rung below

    @property
    def epoch_rungs(self) -> tuple[int, ...]:
        """Return the epochs of the rungs inside the first fold, each `reduction_factor` times the one below."""
        rungs = []
        rung = min(self.grace_period, self.epochs)
        while rung < self.epochs:
            rungs.append(rung)
            rung *= self.reduction_factor
        return tuple(rungs)

    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return a promotion, else a new trial, else a finalist's next fold."""
        if not outlook.finals_due:
            if promoted := self._promoted(study, closed=not outlook.open, patient=True):
                return self.climb(promoted)
            if outlook.open:
                return NewTrial()
            if outlook.may_promote_early and (promoted := self._promoted(study, closed=True, patient=False)):
                return self.climb(promoted)
        settled = outlook.finals_due and outlook.may_promote_early
        return final_climb(self, study, settled=settled, may_promote_early=outlook.may_promote_early)

    def cost(self, contenders: int) -> float:
        """Return the fold-epochs of so many contenders when every rung keeps its share."""
        total, standing, below = 0.0, contenders, 0
        for epoch in self.epoch_rungs:
            total += standing * (epoch - below)
            standing, below = self._quota(standing, closed=True), epoch
        finalists = min(standing, self.finalists)
        return total + standing * (self.epochs - below) + finalists * (self.rungs.whole - self.epochs)

    def places(self, rung: Rung, reached: int) -> int:
        """Return the share of a rung that goes on."""
        return reached // self.reduction_factor if rung in self.rungs.inside_first_fold else self.finalists

    def _promoted(self, study: StudyState, *, closed: bool, patient: bool) -> TrialState | None:
        """Return the promotion that is due at the highest epoch rung; unless `patient`, the finals are filled before all came."""
        for rung in reversed(self.rungs.inside_first_fold):
            settled = closed and not (patient and self._on_the_way(study, rung))
            for trial in self._promotable(study, rung, closed=settled):
                if not trial.climbing:
                    return trial
        return None

    def _quota(self, reached: int, *, closed: bool) -> int:
        share = reached // self.reduction_factor
        return min(reached, max(share, self.finalists)) if closed else share

    def _promotable(self, study: StudyState, rung: Rung, *, closed: bool) -> list[TrialState]:
        """Return the trials that stand at `rung` although they have earned the next one."""
        ranked = ranked_at(competitors(study), rung)
        held = ranked[: self._quota(len(ranked), closed=closed)]
        return [trial for trial in held if trial.standing(self.rungs) == rung]

    def _on_the_way(self, study: StudyState, rung: Rung) -> bool:
        """Tell whether a trial may still arrive at `rung`: climbing to it, or about to be promoted from below."""
        if any(trial.climbing and not trial.has_trained(rung) for trial in competitors(study)):
            return True
        below = [lower for lower in self.rungs.inside_first_fold if lower < rung]
        return any(self._promotable(study, lower, closed=True) for lower in below)
