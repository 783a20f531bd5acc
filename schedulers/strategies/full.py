"""Full: every trial trains all epochs of all folds. What k-fold search costs without a ladder."""

from dataclasses import dataclass

from schedulers.strategy import Climb, NewTrial, Outlook, Strategy
from studies.state.ranking import competitors
from studies.state.rungs import Rung
from studies.state.study_state import StudyState


@dataclass(frozen=True)
class Full(Strategy):
    """No trial is left behind."""

    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return the next fold of a trial that has begun, else a new trial."""
        for trial in competitors(study):
            lacking = [fold for fold in range(self.folds) if trial.lacks(fold, self.epochs)]
            if trial.failure is None and lacking:
                return Climb(trial.number, lacking[0], self.epochs)
        return NewTrial() if outlook.open and not outlook.finals_due else None

    def cost(self, contenders: int) -> float:
        """Return all folds of all contenders."""
        return contenders * self.rungs.whole

    def places(self, rung: Rung, reached: int) -> int:
        """Return all: everyone goes on."""
        return reached
