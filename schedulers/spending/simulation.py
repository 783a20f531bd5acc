"""A study without training: rungs climbed on scores from elsewhere, asynchronous workers and all."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from heapq import heappop, heappush
from typing import Protocol

from schedulers.next_work import CloseField, Finished, Wait, climb_by_right, next_work
from schedulers.proposal import Proposal
from schedulers.spending.affordable import under_way
from schedulers.spending.budget import Budget
from schedulers.strategy import Climb, NewTrial, Strategy
from studies.record.events import ClimbEnded, ClimbStarted, EpochScored, FieldClosed, Launched, RungReached, TrialAdded
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


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
    """A simulated search; `watch` is called before every fold-epoch ends, with the study and the seconds of search."""

    strategy: Strategy
    budget: Budget
    slots: int
    judge: Judge
    watch: Callable[[StudyState, float], None] | None = None
    begin: Callable[[], StudyState] = StudyState

    def run(self) -> StudyState:
        """Return the study when `next_work` says that it is finished."""
        study, now, ticket, running = self.begin(), 0.0, 0, list[tuple[float, int, int, int]]()
        study.apply(Launched(time=0, elapsed=0, settings={}, rungs=self.strategy.rungs, slots=self.slots))
        while True:
            while len(running) < self.slots and (climb := self._next_climb(study, now)) is not None:
                ticket += 1
                heappush(
                    running, (now + self.judge.seconds(study.trials[climb.trial]), ticket, climb.trial, climb.fold)
                )
            if not running:
                return study
            now, _, number, fold = heappop(running)
            if self.watch:
                self.watch(study, now)
            if self._finish_epoch(study, study.trials[number], fold, now):
                ticket += 1
                heappush(running, (now + self.judge.seconds(study.trials[number]), ticket, number, fold))

    def _next_climb(self, study: StudyState, now: float) -> Climb | None:
        work = next_work(study, self.strategy, self.budget, self.slots, now)
        if isinstance(work, CloseField):
            study.apply(FieldClosed(time=now, elapsed=now, reason=work.reason))
            return self._next_climb(study, now)
        if isinstance(work, NewTrial):
            number = len(study.trials)
            proposal = self.judge.propose(number, study)
            study.apply(TrialAdded(time=now, elapsed=now, trial=number, **asdict(proposal)))
            work = climb_by_right(study.trials[number], self.strategy) or Wait()
        if not isinstance(work, Climb):
            assert isinstance(work, Finished) or study.climbing(), "it waits although nothing is in flight"
            return None
        study.apply(ClimbStarted(time=now, elapsed=now, attempt=study.last_attempt + 1, **asdict(work)))
        return work

    def _finish_epoch(self, study: StudyState, trial: TrialState, fold: int, now: float) -> bool:
        """Record a fold-epoch and tell whether the climb goes on."""
        moment = {"time": now, "elapsed": now, "trial": trial.number}
        epoch = trial.epochs_of(fold)
        score = self.judge.fold_score(trial, fold, epoch)
        study.apply(EpochScored(fold=fold, epoch=epoch, score=score, seconds=self.judge.seconds(trial), **moment))
        for rung in self.strategy.rungs.levels:
            if rung not in trial.scores and trial.has_trained(rung):
                scores = [trial.folds[each].epochs[rung.epoch - 1].score for each in range(rung.folds)]
                study.apply(RungReached(folds=rung.folds, epoch=rung.epoch, score=sum(scores) / len(scores), **moment))
        spent = self.budget.spent(study, now, under_way(study, self.strategy, trial)) is not None
        climb = trial.folds[fold]
        if len(climb.epochs) < climb.bound_for and not spent:
            return True
        reason = "rung" if len(climb.epochs) >= climb.bound_for else "stopped"
        study.apply(ClimbEnded(fold=fold, attempt=climb.attempt, reason=reason, **moment))
        return False
