"""One launch of a study: hands out climbs, takes their results into the record. Knows nothing of Ray."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from schedulers.disk.trimming import Folders, Trimmer
from schedulers.ladder import Climb, NewTrial
from schedulers.next_work import CloseField, Finished, Wait, Work, failed_setup, next_work
from schedulers.proposal import Proposal
from schedulers.samplers.ask import Asker
from schedulers.samplers.proposals import Effective, Proposals
from schedulers.search_settings import changed_space, make_budget, make_ladder
from schedulers.spending.affordable import under_way
from search_spaces import SearchSpace
from search_spaces.portfolio import Portfolio
from studies.climb_order import ClimbOrder
from studies.events import (
    ClimbEnded,
    ClimbStarted,
    Dropped,
    EpochScored,
    Event,
    FieldClosed,
    Launched,
    Requested,
    Rewound,
    TrialAdded,
    TrialFailed,
)
from studies.failures import LOST, WITHDRAWN, Failure
from studies.record import Record, RecordError
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
        self.ladder = make_ladder(space)
        self.state = StudyState(record.events)
        self.finished: str | None = None
        self.stopping = False
        self.exhausted = False  # every configuration that is ever proposed has been tried
        self.paused: str | None = None  # why a human has to look before the search can go on
        self._proposals = Proposals(Asker(space, self.ladder, portfolio), queue, effective)
        self._listeners: list[Callable[[Event], None]] = []
        self._requests = requests
        self._record = record
        self._clock = clock
        self._waiting_since: int | None = None  # the state's version at which Wait was the answer

    def start(self, settings: Mapping[str, Any], folders: Folders, setup: str = "", voters: int = 1) -> None:
        """Note the launch, and take every trial as resting where its folder says it stands.

        `setup` is a digest of what all trials share: environment, constants and data. `voters` says among how many of the best
        finished trials an export chooses.

        Raises:
            RecordError: the record has lost all trials.
        """
        self._folders, self._voters = folders, voters
        self._trimmer = Trimmer(folders, self.space.search.disk_budget, voters)
        self.state.last_attempt = max(self.state.last_attempt, folders.newest_attempt())
        if not self.state.trials and folders.newest_attempt():
            raise RecordError(
                f"{self._record.path}: is empty, but there are trial folders beside it; python -m analysis.check"
                f" {self._record.path.parent} --repair takes over what they know"
            )
        for trial in self.state.trials.values():
            self._catch_up(trial)  # before the launch is noted: they were trained under the last one
        self._try_again_what_failed_alike()
        self._add(Launched(time=self._clock(), settings=dict(settings), setup=setup))
        for trial in self.state.trials.values():
            if trial.climbing:
                reason = "rung" if trial.fold_epochs >= trial.rung else "stopped"
                self._add(ClimbEnded(time=self._clock(), trial=trial.number, attempt=trial.attempt, reason=reason))
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
        self._add(EpochScored(time=self._clock(), trial=order.trial, **values))

    def end_climb(self, order: ClimbOrder, failure: Failure | None = None) -> None:
        """Record how a climb ended, and whether its failure is the trial's (see `studies.failures`)."""
        trial = self.state.trials[order.trial]
        if failure == LOST:
            self._catch_up(trial)
        if failure is None or failure.pauses or failure.kind == "superseded":
            reason = "rung" if trial.fold_epochs >= order.rung else "stopped"
            self._add(ClimbEnded(time=self._clock(), trial=order.trial, attempt=order.attempt, reason=reason))
        elif failure == LOST and self.stopping:  # whoever stops the driver may have stopped its trials too
            self._add(ClimbEnded(time=self._clock(), trial=order.trial, attempt=order.attempt, reason="stopped"))
        elif again := failure.tried_again(trial):
            logger.warning("trial %d: %s; it is tried once more from its last epoch", trial.number, failure.kind)
            self._add(ClimbEnded(time=self._clock(), trial=order.trial, attempt=order.attempt, reason=again))
        else:
            logger.warning("trial %d failed (%s): %s", order.trial, failure.kind, failure.reason)
            fields = {"failure": failure.kind, "reason": failure.reason}
            self._add(TrialFailed(time=self._clock(), trial=order.trial, **fields))
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

    def listen(self, listener: Callable[[Event], None]) -> None:
        """Have a function called with every event after it was recorded."""
        self._listeners.append(listener)

    def ends_here(self, order: ClimbOrder, fold_epochs: int) -> bool:
        """Tell whether a climb that has just done so many fold-epochs, recorded or not yet, must not begin another."""
        self.take_requests()
        trial = self.state.trials[order.trial]
        unrecorded = max(0, fold_epochs - trial.fold_epochs)
        running = unrecorded + under_way(self.state, self.ladder, trial)
        return self.stopping or trial.withdrawn or self.budget.spent(self.state, self._clock(), running) is not None

    def take_requests(self) -> None:
        """Take up what was asked from another terminal."""
        for name, request in self._requests():
            if name not in self.state.requests:
                self._take_up(name, request)

    def close(self) -> None:
        """Note climbs that are still open as stopped: their actors are gone."""
        for trial in self.state.climbing():
            self._add(ClimbEnded(time=self._clock(), trial=trial.number, attempt=trial.attempt, reason="stopped"))

    def _take_up(self, name: str, request: Request) -> None:
        try:
            space = changed_space(self.space, request)
        except ValueError as error:
            logger.warning("request %s: %s; it is left out", name, error)
            return
        self._add(Requested(time=self._clock(), name=name, request=request))
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
            self._add(TrialFailed(time=self._clock(), trial=trial.number, failure=WITHDRAWN, reason=reason))

    def _try_again_what_failed_alike(self) -> None:
        """Take the trials back, each once, whose failures stopped the last launch: the setup may be mended by now."""
        for number in self.state.climbed_since_launch if failed_setup(self.state) else ():
            trial = self.state.trials[number]
            if trial.failure not in (None, "not_finite", WITHDRAWN) and not trial.taken_back:
                self._add(Rewound(time=self._clock(), trial=number, fold_epochs=trial.fold_epochs))

    def _catch_up(self, trial: TrialState) -> None:
        """Record the epochs that a trial's folder has and the record lacks: saved just before a crash."""
        if trial.fold_epochs < self.ladder.top:
            for epoch in self._folders.saved_epochs(trial.number)[trial.fold_epochs :]:
                self._add(epoch)

    def _tidy_up(self, changed: Iterable[int]) -> None:
        for drop, freed in self._trimmer.tidy(self.state, self.ladder, changed):
            self._add(Dropped(time=self._clock(), trial=drop.trial, part=drop.part, bytes=freed))

    def _next_work(self) -> Work:
        if self.stopping:
            return Wait() if self.state.climbing() else Finished("stopped")
        work = next_work(self.state, self.ladder, self.budget, self.slots, self._clock())
        if isinstance(work, CloseField):
            if self._proposals.asked_for(self.state):
                return NewTrial()
            self._add(FieldClosed(time=self._clock(), reason=work.reason))
            return self._next_work()
        return work

    def _begin_trial(self) -> Climb | None:
        """Add a trial; None if every configuration has been tried: then there are as many trials as there can be."""
        number, proposal = len(self.state.trials), self._proposals.next(self.state)
        if proposal is None:
            self.budget, self.exhausted = replace(self.budget, trials=number), True
            return None
        self._add(TrialAdded(time=self._clock(), trial=number, **asdict(proposal)))
        return Climb(number, self.ladder.rungs[0])

    def _start_climb(self, climb: Climb) -> ClimbOrder:
        attempt = self.state.last_attempt + 1
        self._add(ClimbStarted(time=self._clock(), trial=climb.trial, rung=climb.rung, attempt=attempt))
        configuration = self.state.trials[climb.trial].configuration
        return ClimbOrder(climb.trial, climb.rung, attempt, configuration, self.ladder.fold_order, self.space.metric)

    def _add(self, event: Event) -> None:
        self._record.append(event)
        self.state.apply(event)
        for listener in self._listeners:
            listener(event)
