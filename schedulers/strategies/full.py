"""Full: every trial trains all epochs of all folds. What k-fold search costs without a ladder."""

from dataclasses import dataclass

from schedulers.ladder import Climb, Ladder, NewTrial, Outlook, competitors
from studies.study_state import StudyState


@dataclass(frozen=True)
class Full(Ladder):
    """No trial is left behind."""

    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return the next fold of a trial that has begun, else a new trial."""
        for trial in competitors(study):
            if not trial.climbing and trial.failure is None and trial.fold_epochs < self.top:
                return Climb(trial.number, self.next_rung(trial.fold_epochs))
        return NewTrial() if outlook.open and not outlook.finals_due else None

    def cost(self, contenders: int) -> float:
        """Return all folds of all contenders."""
        return contenders * self.top

    def places(self, rung: int, reached: int) -> int:
        """Return all: everyone goes on."""
        return reached
