"""One launch of a study: hands out climbs, takes their results into the record. Knows nothing of Ray."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from schedulers.disk.trimming import Folders, Trimmer
from schedulers.ladder import Climb, NewTrial
from schedulers.next_work import CloseField, Finished, Wait, Work, next_work
from schedulers.proposal import Proposal
from schedulers.samplers.ask import Asker
from schedulers.samplers.proposals import Effective, Proposals
from schedulers.search_settings import changed_space, make_budget, make_ladder
from schedulers.spending.affordable import under_way
from schedulers.study_log import StudyLog
from schedulers.taking_over import catch_up, end_open_climbs, take_over
from search_spaces import SearchSpace
from search_spaces.portfolio import Portfolio
from studies.climb_order import ClimbOrder
from studies.events import (
    ClimbEnded,
    ClimbStarted,
    Dropped,
    EpochScored,
    FieldClosed,
    Launched,
    Requested,
    TrialAdded,
    TrialFailed,
)
from studies.failures import LOST, WITHDRAWN, Failure
from studies.record import Record
from studies.requests import AddConfigurations, ChangeBudget, Request, StopSearch, StopTrial
from studies.study_state import StudyState, TrialState

logger = logging.getLogger(__name__)
Requests = Callable[[], Iterable[tuple[str, Request]]]  # what was asked since the last question, by name


class StudyRun:
    """The driver's side of a study under one launch."""

    def __init__(
        self,
        record: Record,
        space: SearchSpace,
        slots: int,
        *,
        queue: Sequence[Proposal] = (),
        portfolio: Portfolio | None = None,
        effective: Effective = dict,
        requests: Requests = tuple,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.space = space
        self.budget = make_budget(space)
        self.slots = slots
        self.log = StudyLog(record, clock)
        self.ladder = make_ladder(space)
        self.finished: str | None = None
        self.stopping = False
        self.exhausted = False  # every configuration that is ever proposed has been tried
        self.paused: str | None = None  # why a human has to look before the search can go on
        self._proposals = Proposals(Asker(space, self.ladder, portfolio), queue, effective)
        self._requests = requests
        self._waiting_since: int | None = None  # the state's version at which Wait was the answer

    @property
    def state(self) -> StudyState:
        return self.log.state

    def start(self, settings: Mapping[str, Any], folders: Folders, setup: str = "", voters: int = 1) -> None:
        """Note the launch, and take every trial as resting where its folder says it stands.

        `setup` is a digest of what all trials share: environment, constants and data. `voters` says among how many of the best
        finished trials an export chooses.

        Raises:
            RecordError: the record has lost all trials.
        """
        self._folders, self._voters = folders, voters
        self._trimmer = Trimmer(folders, self.space.search.disk_budget, voters)
        take_over(self.log, self.ladder, folders)
        self.log.note(Launched, settings=dict(settings), setup=setup)
        end_open_climbs(self.log)
        self._tidy_up(self.state.trials)
        self._take_up_again()
        self.take_requests()

    def next_climb(self) -> ClimbOrder | None:
        """Return the next climb and note that it has started; None: wait, or see `finished`."""
        self.take_requests()
        if self.state.version == self._waiting_since and not self.stopping:
            return None
        work = self._next_work()
        if isinstance(work, NewTrial):
            work = self._begin_trial() or self._next_work()
        if isinstance(work, Climb):
            return self._start_climb(work)
        self._waiting_since = self.state.version if isinstance(work, Wait) else None
        if isinstance(work, Finished):
            self.finished = f"{work.reason}; no new configuration is left" if self.exhausted else work.reason
        return None

    def take_epoch(self, order: ClimbOrder, result: Mapping[str, Any]) -> None:
        """Record one fold-epoch; a result that was recorded before is left out."""
        trial = self.state.trials[order.trial]
        if result["fold_epochs"] != trial.fold_epochs + 1:
            return
        measured = EpochScored.model_fields.keys() - {"time", "event", "trial"}
        values = {name: result[name] for name in measured if name in result}
        self.log.note(EpochScored, trial=order.trial, **values)

    def end_climb(self, order: ClimbOrder, failure: Failure | None = None) -> None:
        """Record how a climb ended, and whether its failure is the trial's (see `studies.failures`)."""
        trial = self.state.trials[order.trial]
        if failure == LOST:
            catch_up(trial, self.log, self.ladder, self._folders)
        if failure is None or failure.pauses or failure.kind == "superseded":
            reason = "rung" if trial.fold_epochs >= order.rung else "stopped"
            self.log.note(ClimbEnded, trial=order.trial, attempt=order.attempt, reason=reason)
        elif failure == LOST and self.stopping:  # whoever stops the driver may have stopped its trials too
            self.log.note(ClimbEnded, trial=order.trial, attempt=order.attempt, reason="stopped")
        elif again := failure.tried_again(trial):
            logger.warning("trial %d: %s; it is tried once more from its last epoch", trial.number, failure.kind)
            self.log.note(ClimbEnded, trial=order.trial, attempt=order.attempt, reason=again)
        else:
            logger.warning("trial %d failed (%s): %s", order.trial, failure.kind, failure.reason)
            fields = {"failure": failure.kind, "reason": failure.reason}
            self.log.note(TrialFailed, trial=order.trial, **fields)
        if failure is not None and failure.pauses:
            self.pause(failure.reason)
        self._withdraw(trial)
        self._tidy_up([order.trial])

    def stop(self) -> None:
        """Hand out no more climbs; those in flight end after their fold-epoch."""
        self.stopping = True

    def pause(self, reason: str) -> None:
        """Stop, for a reason that a human has to mend."""
        self.paused = self.paused or reason
        self.stop()

    def ends_here(self, order: ClimbOrder, fold_epochs: int) -> bool:
        """Tell whether a climb that has just done so many fold-epochs, recorded or not yet, must not begin another."""
        self.take_requests()
        trial = self.state.trials[order.trial]
        unrecorded = max(0, fold_epochs - trial.fold_epochs)
        running = unrecorded + under_way(self.state, self.ladder, trial)
        return self.stopping or trial.withdrawn or self.budget.spent(self.state, self.log.now(), running) is not None

    def take_requests(self) -> None:
        """Take up what was asked from another terminal."""
        for name, request in self._requests():
            if name not in self.state.requests:
                self._take_up(name, request)

    def close(self) -> None:
        """Note climbs that are still open as stopped: their actors are gone."""
        for trial in self.state.climbing():
            self.log.note(ClimbEnded, trial=trial.number, attempt=trial.attempt, reason="stopped")

    def _take_up(self, name: str, request: Request) -> None:
        try:
            space = changed_space(self.space, request)
        except ValueError as error:
            logger.warning("request %s: %s; it is left out", name, error)
            return
        self.log.note(Requested, name=name, request=request)
        match request:
            case StopSearch():
                self.stop()
            case StopTrial() if request.trial in self.state.trials:
                self._withdraw(self.state.trials[request.trial])
            case AddConfigurations():
                self._enqueue(request)
            case ChangeBudget():
                self.space, self.budget = space, make_budget(space)
                self._trimmer = Trimmer(self._folders, space.search.disk_budget, self._voters)

    def _take_up_again(self) -> None:
        """Go on with what earlier launches were asked and did not get to."""
        for request in self.state.requests.values():
            if isinstance(request, AddConfigurations):
                self._enqueue(request)
        for trial in self.state.trials.values():
            self._withdraw(trial)

    def _enqueue(self, request: AddConfigurations) -> None:
        self._proposals.enqueue(request.configurations)
        least = len(self.state.trials) + self._proposals.untried(self.state)
        self.budget = replace(self.budget, trials=max(self.budget.trials, least))

    def _withdraw(self, trial: TrialState) -> None:
        if trial.withdrawn and not trial.climbing and trial.failure is None:
            reason = "stopped on request"
            self.log.note(TrialFailed, trial=trial.number, failure=WITHDRAWN, reason=reason)

    def _tidy_up(self, changed: Iterable[int]) -> None:
        for drop, freed in self._trimmer.tidy(self.state, self.ladder, changed):
            self.log.note(Dropped, trial=drop.trial, part=drop.part, bytes=freed)

    def _next_work(self) -> Work:
        if self.stopping:
            return Wait() if self.state.climbing() else Finished("stopped")
        work = next_work(self.state, self.ladder, self.budget, self.slots, self.log.now())
        if isinstance(work, CloseField):
            if self._proposals.asked_for(self.state):
                return NewTrial()
            self.log.note(FieldClosed, reason=work.reason)
            return self._next_work()
        return work

    def _begin_trial(self) -> Climb | None:
        """Add a trial; None if every configuration has been tried: then there are as many trials as there can be."""
        number, proposal = len(self.state.trials), self._proposals.next(self.state)
        if proposal is None:
            self.budget, self.exhausted = replace(self.budget, trials=number), True
            return None
        self.log.note(TrialAdded, trial=number, **asdict(proposal))
        return Climb(number, self.ladder.rungs[0])

    def _start_climb(self, climb: Climb) -> ClimbOrder:
        attempt = self.state.last_attempt + 1
        self.log.note(ClimbStarted, trial=climb.trial, rung=climb.rung, attempt=attempt)
        configuration = self.state.trials[climb.trial].configuration
        return ClimbOrder(climb.trial, climb.rung, attempt, configuration, self.ladder.fold_order, self.space.metric)
