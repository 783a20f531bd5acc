"""One launch of a study: hands out climbs, takes their results into the record. Knows nothing of Ray."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from schedulers.events import ClimbEnded, ClimbStarted, EpochScored, Event, Launched, TrialAdded, TrialFailed
from schedulers.ladder import Ladder
from schedulers.next_work import Budget, Climb, Finished, NewTrial, Wait, Work, ended_by_loss, next_work
from schedulers.record import Record
from schedulers.sampler import ask
from schedulers.study_state import StudyState, TrialState
from search_spaces import SearchSpace

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClimbOrder:
    """What an actor is told: which trial, from where its folder says it stands, to which rung."""

    trial: int
    rung: int
    attempt: int
    configuration: dict[str, Any]


class Folders(Protocol):
    """What a run asks the trial folders: they may know more than the record after a crash."""

    def saved_epochs(self, trial: int) -> Sequence[EpochScored]:
        """Return all fold-epochs that a trial's folder holds, in order."""

    def newest_attempt(self) -> int:
        """Return the newest attempt that any folder has seen."""


class StudyRun:
    """The driver's side of a study under one launch."""

    def __init__(
        self, record: Record, space: SearchSpace, budget: Budget, slots: int, clock: Callable[[], float] = time.time
    ) -> None:
        self.space = space
        self.budget = budget
        self.slots = slots
        self.ladder = make_ladder(space, budget)
        self.state = StudyState(record.events)
        self.finished: str | None = None
        self.stopping = False
        self._record = record
        self._clock = clock
        self._waiting_since: int | None = None  # the state's version at which Wait was the answer

    def start(self, settings: Mapping[str, Any], folders: "Folders") -> None:
        """Note the launch, and take every trial as resting where its folder says it stands."""
        self._folders = folders
        self.state.last_attempt = max(self.state.last_attempt, folders.newest_attempt())
        self._add(Launched(time=self._clock(), settings=dict(settings)))
        for trial in self.state.trials.values():
            self._catch_up(trial)
            if trial.climbing:
                reason = "rung" if trial.fold_epochs >= trial.rung else "stopped"
                self._add(ClimbEnded(time=self._clock(), trial=trial.number, attempt=trial.attempt, reason=reason))

    def next_climb(self) -> ClimbOrder | None:
        """Return the next climb and note that it has started; None: wait, or see `finished`."""
        if self.state.version == self._waiting_since and not self.stopping:
            return None
        work = self._next_work()
        if isinstance(work, NewTrial):
            work = self._begin_trial()
        if isinstance(work, Climb):
            return self._start_climb(work)
        self._waiting_since = self.state.version if isinstance(work, Wait) else None
        self.finished = work.reason if isinstance(work, Finished) else None
        return None

    def take_epoch(self, order: ClimbOrder, result: Mapping[str, Any]) -> None:
        """Record one fold-epoch; a result that was recorded before is left out."""
        trial = self.state.trials[order.trial]
        if result["fold_epochs"] != trial.fold_epochs + 1:
            return
        fields = {name: result[name] for name in ("fold", "epoch", "score", "seconds")}
        self._add(EpochScored(time=self._clock(), trial=order.trial, **fields))

    def end_climb(self, order: ClimbOrder, failure: tuple[str, str] | None = None, *, lost: bool = False) -> None:
        """Record how a climb ended; a process lost too often fails its trial."""
        trial = self.state.trials[order.trial]
        if lost:
            self._catch_up(trial)
        if failure is not None and failure[0] != "superseded":
            self._fail(order.trial, *failure)
            return
        reason = "lost" if lost else "rung" if trial.fold_epochs >= order.rung else "stopped"
        self._add(ClimbEnded(time=self._clock(), trial=order.trial, attempt=order.attempt, reason=reason))
        if lost and ended_by_loss(trial):
            self._fail(order.trial, "lost_process", "its process died twice in the same fold-epoch (out of memory?)")

    def stop(self) -> None:
        """Hand out no more climbs; those in flight end after their fold-epoch."""
        self.stopping = True

    def out_of_time(self) -> bool:
        """Tell whether the time budget is spent."""
        return self.budget.seconds is not None and self.state.seconds_spent(self._clock()) >= self.budget.seconds

    def close(self) -> None:
        """Note climbs that are still open as stopped: their actors are gone."""
        for trial in self.state.climbing():
            self._add(ClimbEnded(time=self._clock(), trial=trial.number, attempt=trial.attempt, reason="stopped"))

    def _catch_up(self, trial: TrialState) -> None:
        """Record the epochs that a trial's folder has and the record lacks: saved just before a crash."""
        if trial.fold_epochs < self.ladder.top:
            for epoch in self._folders.saved_epochs(trial.number)[trial.fold_epochs :]:
                self._add(epoch)

    def _next_work(self) -> Work:
        if self.stopping:
            return Wait() if self.state.climbing() else Finished("stopped")
        return next_work(self.state, self.ladder, self.budget, self.slots, self._clock())

    def _begin_trial(self) -> Climb:
        number = len(self.state.trials)
        recipe = number == 0
        configuration = self.space.recipe() if recipe else ask(self.space, self.state, self.ladder, number)
        origin = "recipe" if recipe else self.space.search.sampler
        self._add(TrialAdded(time=self._clock(), trial=number, configuration=configuration, origin=origin))
        return Climb(number, self.ladder.rungs[0])

    def _start_climb(self, climb: Climb) -> ClimbOrder:
        attempt = self.state.last_attempt + 1
        self._add(ClimbStarted(time=self._clock(), trial=climb.trial, rung=climb.rung, attempt=attempt))
        return ClimbOrder(climb.trial, climb.rung, attempt, self.state.trials[climb.trial].configuration)

    def _fail(self, trial: int, failure: str, reason: str) -> None:
        logger.warning("trial %d failed (%s): %s", trial, failure, reason)
        self._add(TrialFailed(time=self._clock(), trial=trial, failure=failure, reason=reason))

    def _add(self, event: Event) -> None:
        self._record.append(event)
        self.state.apply(event)


def make_ladder(space: SearchSpace, budget: Budget) -> Ladder:
    """Return the ladder that a space's search settings describe; `full` sends every trial through all folds."""
    epochs = int(space.complete({})["epochs"])
    search = space.search
    if search.scheduler == "full":
        return Ladder(epochs, search.folds, epochs, search.reduction_factor, budget.trials)
    return Ladder(epochs, search.folds, search.grace_period, search.reduction_factor, search.finalists)


def make_budget(space: SearchSpace) -> Budget:
    """Return the budget of a space; one without parameters has one configuration to train."""
    return Budget(trials=space.search.trials if space.parameters else 1, seconds=space.search.time_budget)


def order_fields(order: ClimbOrder) -> dict[str, Any]:
    """Return a climb as plain JSON values, for the actor."""
    return asdict(order)
