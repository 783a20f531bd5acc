"""What a study may cost, over all launches, and what of that is left."""

from dataclasses import dataclass

from search_spaces.durations import spell_duration
from studies.metrics import METRICS, Metric
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

HOPED_SPEED = (
    0.8  # of the time so far that a fold may take: the first epochs of a launch are slow, and a try costs nothing
)
RESERVE = 1.15  # fold-epochs vary in length; without a margin the last finalist misses its last fold


@dataclass(frozen=True)
class Budget:
    """What a study may cost, over all launches; `seconds` counts search time, `target_score` is signed (more is better)."""

    trials: int
    seconds: float | None = None
    fold_epochs: int | None = None
    target_score: float | None = None
    worth: float | None = None  # score an hour of the device that a further configuration must be expected to gain
    metric: Metric = METRICS["macro_f1"]
    shared_slots: int = 1  # that others have climbs on as well: a climb that runs alone there takes a part of the time

    def spent(self, study: StudyState, elapsed: float, running: int) -> str | None:
        """Return why `running` fold-epochs must not be under way any more, None while they may."""
        if self.seconds is not None and elapsed >= self.seconds:
            return f"the {self.spelled()} is spent"
        if self.fold_epochs is not None and study.fold_epochs + running > self.fold_epochs:
            return f"the budget of {self.fold_epochs} fold-epochs is spent"
        return None

    def fits(self, study: StudyState, trial: TrialState, epochs: int, elapsed: float) -> bool:
        """Tell whether so many epochs of a fold of a trial may end within the time budget.

        Part of a fold cannot vote, so a fold is begun only if it would end in time at the speed so far, or a little faster.
        """
        seconds = study.seconds_per_fold_epoch()
        if self.seconds is None or seconds is None:
            return True
        taken = HOPED_SPEED * epochs * seconds * study.relative_cost(trial) * self._share(study)
        return elapsed + taken <= self.seconds

    def spelled(self) -> str:
        """Return the time budget in words."""
        return "time budget" if self.seconds is None else f"time budget of {spell_duration(self.seconds)}"

    def reaches(self, study: StudyState, elapsed: float, fold_epochs: int, owed: int = 0) -> bool:
        """Tell whether one more trial could still train so many fold-epochs beside those that run.

        `owed` is what the recipe still needs, whether it climbs or not.
        """
        others = [trial for trial in study.climbing() if trial.origin != "recipe"]
        running = owed + sum(trial.remaining() for trial in others)
        if self.fold_epochs is not None and study.fold_epochs + running + fold_epochs > self.fold_epochs:
            return False
        seconds = study.seconds_per_fold_epoch()
        if self.seconds is None or not seconds:
            return True
        return elapsed + RESERVE * fold_epochs * seconds * self._share(study) <= self.seconds

    def _share(self, study: StudyState) -> float:
        """Return how much of a second goes by for the study while one more of its climbs trains for a second."""
        return min(1.0, (study.climbs() + 1) / self.shared_slots)

    def fold_epochs_left(self, study: StudyState, slots: int, elapsed: float) -> float:
        """Return the fold-epochs that can still be afforded, at the speed so far; infinite without a limit."""
        left = float("inf") if self.fold_epochs is None else self.fold_epochs - study.fold_epochs
        seconds = study.seconds_per_fold_epoch()
        if self.seconds is not None and seconds:
            left = min(left, (self.seconds - elapsed) * slots / (seconds * RESERVE))
        return max(0.0, left)
