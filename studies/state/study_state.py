"""Where every trial of a study stands: worked out from the events of the record."""

from collections.abc import Iterable

from studies.record.events import (
    ClimbEnded,
    ClimbPlaced,
    ClimbStarted,
    Dropped,
    EpochScored,
    Event,
    FieldClosed,
    FoldRewound,
    ForecastMade,
    Launched,
    OfTrial,
    PredictionsReplaced,
    Requested,
    RungReached,
    SearchEnded,
    TrialAdded,
    TrialFailed,
    TrialRestored,
)
from studies.record.requests import Request, StopTrial
from studies.state.mishaps import Mishaps
from studies.state.rungs import Rung
from studies.state.search_time import SearchTime
from studies.state.trial_state import TrialState

__all__ = ["StateError", "StudyState", "TrialState"]


class StateError(ValueError):
    """A record that tells the impossible."""


class StudyState:
    """All trials, the last launch, and the time spent so far."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.trials: dict[int, TrialState] = {}
        self.launch: Launched | None = None  # the last
        self.ending: SearchEnded | None = None  # of the last launch, once it is over
        self.forecast: ForecastMade | None = None  # the driver's last, in this launch
        self.last_attempt = 0
        self.climbed_since_launch: list[int] = []  # every trial once, in the order in which they set out
        self.bytes_dropped = 0  # by the disk budget
        self.precision: str | None = None  # what `auto` stands for in the study: of the first such epoch
        self.requests: dict[str, Request] = {}  # that were taken up, by name
        self.closed: str | None = None  # why no further configuration begins in this launch
        self.version = 0  # grows with every event: what was decided on an older version is stale
        self.last_time = 0.0  # time of day of the last event
        self.time = SearchTime()
        self.mishaps = Mishaps()
        self._working_setups = set[str]()  # those under which an epoch was scored
        for event in events:
            self.apply(event)

    @classmethod
    def lenient(cls, events: Iterable[Event]) -> "StudyState":
        """Return the state of a record that may have lost lines: events of unknown trials are left out."""
        state = cls()
        for event in events:
            if state.knows(event):
                state.apply(event)
        return state

    def knows(self, event: Event) -> bool:
        """Tell whether an event can be taken in: not where it is about a trial that nobody added."""
        return not isinstance(event, OfTrial) or event.trial in self.trials

    @property
    def fold_epochs(self) -> int:
        return sum(trial.fold_epochs for trial in self.trials.values())

    @property
    def elapsed(self) -> float:
        """Return the seconds of search of all launches together, at the last event."""
        return self.time.seconds

    @property
    def setup_works(self) -> bool:
        """Tell whether any trial has scored an epoch under the setup of this launch."""
        return self._setup in self._working_setups

    @property
    def _setup(self) -> str:
        return "" if self.launch is None else self.launch.setup

    def climbing(self) -> list[TrialState]:
        """Return the trials of which a fold is being trained."""
        return [trial for trial in self.trials.values() if trial.climbing]

    def climbs(self) -> int:
        """Return how many folds are being trained."""
        return sum(len(trial.climbs) for trial in self.trials.values())

    def seconds_per_fold_epoch(self) -> float | None:
        """Return the mean wall time of the fold-epochs so far."""
        seconds = [epoch.seconds for trial in self.trials.values() for epoch in trial.epochs]
        return sum(seconds) / len(seconds) if seconds else None

    def relative_cost(self, trial: TrialState) -> float:
        """Return how many times the mean a trial's fold-epochs take, such as those of a larger backbone; 1 before its first."""
        mean = self.seconds_per_fold_epoch()
        if not trial.epochs or not mean:
            return 1.0
        return sum(epoch.seconds for epoch in trial.epochs) / len(trial.epochs) / mean

    def apply(self, event: Event) -> None:
        """Take one event in.

        Raises:
            StateError: it is about a trial that nobody added.
        """
        self.version += 1
        self.time.take(event)
        self.mishaps.take(event)
        self.last_time = max(self.last_time, event.time)  # epochs that are caught up on are older
        if isinstance(event, OfTrial):
            self._apply_to(self._trial(event), event)
            return
        match event:
            case Launched():
                self.launch, self.ending, self.forecast = event, None, None
                self.climbed_since_launch, self.closed = [], None
            case SearchEnded():
                self.ending = event
            case ForecastMade():
                self.forecast = event
            case FieldClosed():
                self.closed = event.reason
            case TrialAdded():
                self.trials[event.trial] = TrialState(event.trial, event.configuration, event.origin, event.expected)
            case Requested():
                self._request(event)

    def _apply_to(self, trial: TrialState, event: OfTrial) -> None:
        match event:
            case ClimbStarted():
                self._start(trial, event)
            case EpochScored():
                self._add_epoch(trial, event)
            case RungReached():
                rung = Rung(event.folds, event.epoch)
                trial.scores[rung] = event.score
                trial.arrivals.setdefault(rung, self.version)
            case PredictionsReplaced():
                trial.replace_score(event.fold, event.score)
            case ClimbEnded():
                trial.end(event)
            case TrialFailed():
                trial.fail(event)
            case TrialRestored():
                trial.restore(in_search=event.in_search)
            case FoldRewound():
                trial.rewind(event.fold, event.epochs)
            case Dropped():
                self._drop(trial, event)
            case ClimbPlaced():
                pass

    def _start(self, trial: TrialState, event: ClimbStarted) -> None:
        trial.start(event)
        self.last_attempt = max(self.last_attempt, event.attempt)
        if event.trial not in self.climbed_since_launch:
            self.climbed_since_launch.append(event.trial)

    def _add_epoch(self, trial: TrialState, event: EpochScored) -> None:
        fold = trial.fold(event.fold)
        if trial.configuration.get("precision", "auto") == "auto":
            self.precision = self.precision or event.precision
        fold.epochs.append(event)
        fold.tries_lost = 0
        trial.epochs.append(event)
        self._working_setups.add(self._setup)

    def _drop(self, trial: TrialState, event: Dropped) -> None:
        self.bytes_dropped += event.bytes
        if event.part == "weights" and event.fold is not None:
            rungs = None if self.launch is None else self.launch.rungs
            trial.fold(event.fold).owes_weights = rungs is not None and not trial.has_trained(rungs.top)

    def _request(self, event: Requested) -> None:
        self.requests[event.name] = event.request
        if isinstance(event.request, StopTrial) and event.request.trial in self.trials:
            self.trials[event.request.trial].withdrawn = True

    def _trial(self, event: OfTrial) -> TrialState:
        try:
            return self.trials[event.trial]
        except KeyError:
            raise StateError(
                f"record.jsonl: tells of trial {event.trial}, which was never added; python -m analysis.check on the study's"
                " folder says what is wrong, and with --repair takes over what the trial folders know"
            ) from None
