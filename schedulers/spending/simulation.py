"""A study without training: a ladder climbed on scores from elsewhere, asynchronous workers and all."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from typing import Protocol

from schedulers.ladder import Climb, Ladder, NewTrial
from schedulers.next_work import CloseField, Finished, next_work
from schedulers.proposal import Proposal
from schedulers.spending.affordable import under_way
from schedulers.spending.budget import Budget
from studies.events import ClimbEnded, ClimbStarted, EpochScored, FieldClosed, Launched, TrialAdded
from studies.study_state import StudyState, TrialState


class Judge(Protocol):
    """Where configurations, scores and times of a simulated study come from."""

    def propose(self, number: int, study: StudyState) -> Proposal:
        """Return the configuration of a new trial."""

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        """Return the score on one fold after an epoch, both counted from 0."""

    def seconds(self, trial: TrialState) -> float:
        """Return how long a fold-epoch of a trial takes."""


@dataclass
class Simulation:
    """A simulated search; `watch` is called before every fold-epoch ends."""

    ladder: Ladder
    budget: Budget
    slots: int
    judge: Judge
    watch: Callable[[StudyState, float], None] | None = None
    begin: Callable[[], StudyState] = StudyState

    def run(self) -> StudyState:
        """Return the study when `next_work` says that it is finished."""
        study, now, ticket, running = self.begin(), 0.0, 0, list[tuple[float, int, int]]()
        study.apply(Launched(time=0, settings={}))
        while True:
            while len(running) < self.slots and (climb := self._next_climb(study, now)) is not None:
                ticket += 1
                heappush(running, (now + self.judge.seconds(study.trials[climb]), ticket, climb))
            if not running:
                return study
            now, _, climbing = heappop(running)
            if self.watch:
                self.watch(study, now)
            if self._finish_epoch(study, study.trials[climbing], now):
                ticket += 1
                heappush(running, (now + self.judge.seconds(study.trials[climbing]), ticket, climbing))

    def _next_climb(self, study: StudyState, now: float) -> int | None:
        work = next_work(study, self.ladder, self.budget, self.slots, now)
        if isinstance(work, CloseField):
            study.apply(FieldClosed(time=now, reason=work.reason))
            return self._next_climb(study, now)
        if isinstance(work, NewTrial):
            number = len(study.trials)
            proposal = self.judge.propose(number, study)
            study.apply(TrialAdded(time=now, trial=number, **asdict(proposal)))
            work = Climb(number, self.ladder.rungs[0])
        if not isinstance(work, Climb):
            assert isinstance(work, Finished) or study.climbing(), "it waits although nothing is in flight"
            return None
        study.apply(ClimbStarted(time=now, trial=work.trial, rung=work.rung, attempt=study.last_attempt + 1))
        return work.trial

    def _finish_epoch(self, study: StudyState, trial: TrialState, now: float) -> bool:
        """Record a fold-epoch and tell whether the climb goes on."""
        fold, epoch = self.ladder.position(trial.fold_epochs)
        fold_score = self.judge.fold_score(trial, fold, epoch)
        latest = {scored.fold: scored.fold_score or 0.0 for scored in trial.epochs} | {fold: fold_score}
        score = sum(latest.values()) / len(latest)
        shared = {
            "time": now,
            "trial": trial.number,
            "fold": fold,
            "epoch": epoch,
            "seconds": self.judge.seconds(trial),
        }
        study.apply(EpochScored(score=score, fold_score=fold_score, **shared))
        spent = self.budget.spent(study, now, under_way(study, self.ladder, trial)) is not None
        if trial.fold_epochs < trial.rung and not spent:
            return True
        reason = "rung" if trial.fold_epochs >= trial.rung else "stopped"
        study.apply(ClimbEnded(time=now, trial=trial.number, attempt=trial.attempt, reason=reason))
        return False
