"""One launch of a study: hands out climbs, takes their results into the record. Knows nothing of Ray."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from schedulers.budget_settings import changed_space, make_budget
from schedulers.disk.patience import patient
from schedulers.disk.trimming import Folders, Trimmer
from schedulers.next_work import CloseField, Finished, Wait, Work, climb_by_right, next_work
from schedulers.proposal import Proposal
from schedulers.samplers.ask import Asker
from schedulers.samplers.proposals import Effective, Proposals
from schedulers.search_settings import make_strategy
from schedulers.spending.affordable import under_way
from schedulers.spending.forecast import Forecast, Forecasts
from schedulers.spending.plan import planned
from schedulers.strategy import Climb, NewTrial
from schedulers.study_log import StudyLog
from schedulers.taking_over import catch_up, end_open_climbs, replace_predictions, score_rungs, take_over
from search_spaces import SearchSpace
from search_spaces.portfolio import Portfolio
from storage.free_space import check_writable
from storage.outage import PATIENCE, is_outage, outlast
from studies.metrics import METRICS
from studies.record.events import (
    WITHDRAWN,
    ClimbEnded,
    ClimbPlaced,
    ClimbStarted,
    Dropped,
    EpochScored,
    FieldClosed,
    ForecastMade,
    MetricFacts,
    Requested,
    SearchEnded,
    StrategyFacts,
    TrialAdded,
    TrialFailed,
    TrialRestored,
)
from studies.record.record import Record
from studies.record.requests import AddConfigurations, ChangeBudget, Request, StopSearch, StopTrial
from studies.state.search_facts import SearchFacts
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.trials.climb_order import ClimbOrder
from studies.trials.failures import LOST, Failure

logger = logging.getLogger(__name__)
UNSAVED = 3  # times that an epoch cannot be saved though the storage works, before a human has to look
LEAVING = 1.0  # seconds that an event takes at the most to be written, where the process is about to end
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
        clock: Callable[[], float] = time.monotonic,
        shares: bool = False,
        patience: float = PATIENCE,
    ) -> None:
        """`shares`: other studies have climbs on the slots, and `clock` counts what this one has of them.

        An outage of storage is waited for, `patience` seconds at the most, and then pauses the search.
        """
        self.space = space
        self._shares, self._shared_slots = shares, slots if shares else 1
        self.budget = replace(make_budget(space), shared_slots=self._shared_slots)
        self.slots = slots
        self.stopping: bool = False
        self._outlast = partial(outlast, abandoned=lambda: self.stopping, patience=patience)
        self.log = StudyLog(record, clock, self._outlast)
        self.strategy = make_strategy(space)
        self.finished: str | None = None
        self._unsaved = Counter[tuple[int, int, int]]()  # climbs that an outage ended, by trial, fold and epochs
        self.exhausted = False  # every configuration that is ever proposed has been tried
        self.paused: str | None = None  # why a human has to look before the search can go on
        self._proposals = Proposals(Asker(space, self.strategy, portfolio), queue, effective)
        self._requests = requests
        self._forecasts = Forecasts()
        self._plan: str | None = None
        self._launch = ""
        self._waiting_since: int | None = None  # the state's version at which Wait was the answer

    @property
    def state(self) -> StudyState:
        return self.log.state

    @property
    def facts(self) -> SearchFacts:
        """Return what the study is searched under, as the record will say it."""
        name, finalists = self.space.search.scheduler, self.strategy.finalists
        strategy = StrategyFacts(name=name, settings=self.strategy.settings(), finalists=finalists)
        return SearchFacts(self.strategy.rungs, strategy, self.slots)

    @property
    def most_trials(self) -> int:
        """Return how many trials the budget allows."""
        return self.budget.trials

    def elapsed(self) -> float:
        """Return the seconds of search so far, over all launches."""
        return self.log.elapsed()

    def start(
        self, settings: Mapping[str, Any], folders: Folders, *, launch: str = "", setup: str = "", voters: int = 1
    ) -> None:
        """Note the launch, and take every trial as resting where its folder says it stands.

        `launch` is its id; `setup` is a digest of what all trials share: environment, constants and data. `voters` says among how
        many of the best finished trials an export chooses.

        Raises:
            RecordError: the record has lost all trials.
            FolderError: the predictions of a finished fold are missing or damaged.
        """
        folders = patient(folders, self._outlast)
        self._folders, self._voters, self._launch = folders, voters, launch
        self._trimmer = Trimmer(folders, self.space.search.disk_budget, voters)
        take_over(self.log, self.strategy.rungs, folders)
        self.log.launch(
            launch=launch,
            **dict(vars(self.facts)),
            metric=MetricFacts.of(METRICS[self.space.metric]),
            settings=dict(settings),
            setup=setup,
            shared=self._shares,
        )
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

    def take_place(self, order: ClimbOrder, node: str, process: int) -> None:
        """Record which process took a climb."""
        self.log.note(
            ClimbPlaced, trial=order.trial, fold=order.fold, attempt=order.attempt, node=node, process=process
        )

    def take_epoch(self, order: ClimbOrder, result: Mapping[str, Any]) -> None:
        """Record one fold-epoch, or predictions that were replaced; a result that was recorded before is left out.

        A process of an earlier launch, cut off from it, may have saved epochs after this one began: the folder has them.
        """
        trial, rungs = self.state.trials[order.trial], self.strategy.rungs
        has_weights_again = result.get("done") and trial.fold(order.fold).owes_weights
        if result.get("replaced") or has_weights_again:  # the report of that may have been lost
            replace_predictions(trial, order.fold, result["score"], self.log, rungs, self._folders)
        ahead = result.get("epochs", 0) - trial.epochs_of(order.fold)
        if ahead > 1:
            catch_up(trial, self.log, rungs, self._folders)
        if ahead != 1:
            return
        measured = EpochScored.model_fields.keys() - {"time", "elapsed", "event", "trial"}
        values = {name: result[name] for name in measured if name in result}
        self.log.note(EpochScored, trial=order.trial, **values)
        score_rungs(trial, self.log, rungs, self._folders)
        self._note_forecast()

    def end_climb(self, order: ClimbOrder, failure: Failure | None = None) -> None:
        """Record how a climb ended, and whether its failure is the trial's (see `studies.trials.failures`)."""
        trial, left_out = self.state.trials[order.trial], self.state.mishaps.left_out
        fold = trial.fold(order.fold)
        if failure is not None and failure.kind == LOST.kind:
            catch_up(trial, self.log, self.strategy.rungs, self._folders)
        if failure is None or failure.pauses or failure.kind == "superseded":
            self._note_end(order, "rung" if len(fold.epochs) >= order.epoch else "stopped")
        elif trial.failure is not None or (failure.kind == LOST.kind and self.stopping):
            self._note_end(order, "stopped")  # whoever stops the driver may have stopped its trials too
        elif again := failure.tried_again(trial, fold):
            how = f", its batches in {2 * fold.micro_batches} parts" if again == "out_of_memory" else ""
            logger.warning("trial %d: %s; it is tried once more from its last epoch%s", trial.number, failure.kind, how)
            self._note_end(order, again)
        else:
            logger.warning("trial %d failed (%s): %s", order.trial, failure.kind, failure.reason)
            fields = {"fold": order.fold, "failure": failure.kind, "reason": failure.reason}
            self.log.note(TrialFailed, trial=order.trial, **fields)
        if failure is not None and failure.pauses:
            self._wait_for_storage(order, failure.reason)
        if failure is not None and self.state.mishaps.left_out > left_out:
            self._take_back_from_broken_slot(failure)
        self._withdraw(trial)
        self._tidy_up([order.trial])

    def _note_end(self, order: ClimbOrder, reason: str) -> None:
        self.log.note(ClimbEnded, trial=order.trial, fold=order.fold, attempt=order.attempt, reason=reason)

    def _wait_for_storage(self, order: ClimbOrder, reason: str) -> None:
        """Hand nothing out until the study's folder takes what is written.

        The search pauses where it does not for long, or where small files can be written and this fold cannot, again and again.
        """
        logger.warning("trial %d could not be saved (%s): it rests at its last epoch", order.trial, reason)
        place = (order.trial, order.fold, self.state.trials[order.trial].epochs_of(order.fold))
        self._unsaved[place] += 1
        if self._unsaved[place] >= UNSAVED:
            self.pause(reason)
            return
        try:
            self._outlast(lambda: check_writable(self.log.path.parent))
        except OSError:
            self.pause(reason)

    def _take_back_from_broken_slot(self, failure: Failure) -> None:
        """Say that a slot is left out, and take back the trials that it has cost: it was not their fault."""
        mishaps = self.state.mishaps
        logger.warning(
            "one after the other, new processes of a node were lost before their first epoch (%s): the search goes on with %d of"
            " %d slots. Once it has ended, look after that device, or hide it with CUDA_VISIBLE_DEVICES",
            failure.reason,
            self.slots - mishaps.left_out,
            self.slots,
        )
        for number in sorted({mishap.trial for mishap in mishaps.on_left_out}):
            if self.state.trials[number].failure == LOST.kind:
                self.log.note(TrialRestored, trial=number, in_search=True)

    def process_must_end(self, order: ClimbOrder) -> bool:
        """Tell whether the process that had a climb, which has ended, is not to have another."""
        return self.state.mishaps.process_must_end(order.trial, order.fold)

    def stop(self) -> None:
        """Hand out no more climbs; those in flight end after their fold-epoch."""
        self.stopping = True

    def pause(self, reason: str) -> None:
        """Stop, for a reason that a human has to mend."""
        self.paused = self.paused or reason
        self.stop()

    def ends_here(self, order: ClimbOrder, epochs: int) -> bool:
        """Tell whether a climb whose fold has so many epochs, recorded or not yet, must not begin another."""
        self.take_requests()
        trial = self.state.trials[order.trial]
        running = max(0, epochs - trial.epochs_of(order.fold)) + under_way(self.state, self.strategy, trial)
        if self.stopping or trial.withdrawn or trial.failure is not None:
            return True
        return self.budget.spent(self.state, self.log.elapsed(), running) is not None

    def time_left(self) -> Forecast | None:
        """Return how long the search still takes, with the least and the most that it may be; None before the first epoch."""
        return self._forecasts.forecast(self.state, self.strategy, self.budget, self.slots, self.log.elapsed())

    def plan(self) -> str | None:
        """Return what fits into the time budget, or what would; None without one, and until the first epochs are measured."""
        if self._plan is None and self.state.fold_epochs >= min(self.slots, self.strategy.folds):
            found = planned(self.state, self.strategy, self.budget, self.slots, self.log.elapsed())
            self._plan = None if found is None else found.spelled(self.space.recipe().get("image_size", 0))
        return self._plan

    def take_requests(self) -> None:
        """Take up what was asked from another terminal; while storage is out, nothing is."""
        try:
            for name, request in self._requests():
                if name not in self.state.requests:
                    self._take_up(name, request)
        except OSError as error:
            if not is_outage(error):
                raise

    def close(self) -> None:
        """Note climbs that are still open as stopped, for their actors are gone, and why the search ended."""
        end_open_climbs(self.log)
        if self.paused:
            self.log.note(SearchEnded, outcome="paused", reason=self.paused)
        elif self.stopping:
            self.log.note(SearchEnded, outcome="stopped", reason="stopped on request")
        else:
            self.log.note(SearchEnded, outcome="finished", reason=self.finished or "nothing is left to do")

    def close_at_once(self) -> None:
        """Note why the search ended, from another thread than the driver's, which adds nothing any more: the process ends."""
        if self.log.writing.acquire(timeout=LEAVING) and self.state.ending is None:
            self.stopping = self.stopping or self.finished is None
            self.close()

    def _note_forecast(self) -> None:
        """Record what the driver expects, now and then: nobody else has to work it out."""
        elapsed = self.log.elapsed()
        if self._forecasts.wants(elapsed) and (forecast := self.time_left()) is not None:
            self._forecasts.take(elapsed, forecast.left)
            self.log.note(ForecastMade, **asdict(forecast))

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
                self.finished = None  # of a study that has ended beside others that run
            case ChangeBudget():
                self.finished = None
                self.space, self.budget = space, replace(make_budget(space), shared_slots=self._shared_slots)
                self._forecasts, self._plan = Forecasts(), None  # those before were of another budget
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
        if trial.withdrawn and trial.failure is None:
            reason = "stopped on request"
            self.log.note(TrialFailed, trial=trial.number, failure=WITHDRAWN, reason=reason)

    def _tidy_up(self, changed: Iterable[int]) -> None:
        for drop, freed in self._trimmer.tidy(self.state, self.strategy, changed):
            self.log.note(Dropped, bytes=freed, **asdict(drop))

    def _next_work(self) -> Work:
        if self.stopping:
            return Wait() if self.state.climbing() else Finished("stopped")
        work = next_work(self.state, self.strategy, self.budget, self.slots, self.log.elapsed())
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
        return climb_by_right(self.state.trials[number], self.strategy)

    def _start_climb(self, climb: Climb) -> ClimbOrder:
        order = ClimbOrder(
            **asdict(climb),
            attempt=self.state.last_attempt + 1,
            configuration=self.state.trials[climb.trial].configuration,
            metric=self.space.metric,
            launch=self._launch,
            micro_batches=self.state.trials[climb.trial].micro_batches,
            precision=self.state.precision,
        )
        self.log.note(ClimbStarted, **asdict(climb), attempt=order.attempt, launch=order.launch)
        return order
