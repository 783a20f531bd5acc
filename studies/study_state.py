"""Where every trial of a study stands: worked out from the events of the record."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

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
from studies.requests import Request, StopTrial


class StateError(ValueError):
    """A record that tells the impossible."""


@dataclass(eq=False)  # two trials are the same only if they are one
class TrialState:
    """One trial as the record tells it."""

    number: int
    configuration: dict[str, Any]
    origin: str
    expected: float | None = None  # its place by what was seen on other data
    epochs: list[EpochScored] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)  # the state's version at which each epoch came in
    rung: int = 0  # where its last climb was bound for, in fold-epochs
    attempt: int = 0
    climbing: bool = False
    tries_lost: int = 0  # climbs that ended in a failure to be tried again, since the last finished epoch
    failure: str | None = None
    reason: str | None = None
    taken_back: bool = False  # its failure was forgiven once: not a second time
    withdrawn: bool = False  # somebody asked to stop it, which is no fault of its configuration

    @property
    def fold_epochs(self) -> int:
        """Return how many fold-epochs are done; the trial stands there."""
        return len(self.epochs)

    @property
    def interrupted(self) -> bool:
        """Tell whether it rests on the way to a rung, left there by a stop or a crash."""
        return not self.climbing and self.failure is None and self.fold_epochs < self.rung

    def fold_scores(self, epochs: int) -> list[float]:
        """Return each finished fold's own score, folds trained one after the other; up to the first one unknown."""
        ends = [self.epochs[end].fold_score for end in range(epochs - 1, len(self.epochs), epochs)]
        return list(takewhile(lambda score: score is not None, ends))  # type: ignore[arg-type]

    def score_at(self, rung: int) -> float | None:
        """Return the pooled score after `rung` fold-epochs, None before it got there."""
        return self.epochs[rung - 1].score if 0 < rung <= len(self.epochs) else None


class StudyState:
    """All trials, and the time spent so far."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.trials: dict[int, TrialState] = {}
        self.last_attempt = 0
        self.climbed_since_launch: list[int] = []  # every trial once, in the order in which they set out
        self.bytes_dropped = 0  # by the disk budget
        self.requests: dict[str, Request] = {}  # that were taken up, by name
        self.closed: str | None = None  # why no further configuration begins in this launch
        self._setup, self._working_setups = "", set[str]()  # this launch's, and those under which an epoch was scored
        self.version = 0  # grows with every event: what was decided on an older version is stale
        self._spent_before = 0.0
        self._launched_at: float | None = None
        self._last_time = 0.0
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
        return isinstance(event, Launched | TrialAdded | FieldClosed | Requested) or event.trial in self.trials

    @property
    def fold_epochs(self) -> int:
        return sum(trial.fold_epochs for trial in self.trials.values())

    @property
    def last_time(self) -> float:
        """Return when the last event was recorded, in seconds since 1970."""
        return self._last_time

    @property
    def setup_works(self) -> bool:
        """Tell whether any trial has scored an epoch under the setup of this launch."""
        return self._setup in self._working_setups

    def climbing(self) -> list[TrialState]:
        return [trial for trial in self.trials.values() if trial.climbing]

    def seconds_spent(self, now: float | None = None) -> float:
        """Return the search time of all launches together; time between launches does not count."""
        if self._launched_at is None:
            return self._spent_before
        return self._spent_before + max(0.0, (self._last_time if now is None else now) - self._launched_at)

    def seconds_of_launch(self, now: float) -> float:
        """Return how long the last launch has been searching; 0 without one."""
        return 0.0 if self._launched_at is None else max(0.0, now - self._launched_at)

    def launched_since(self, moment: float) -> bool:
        """Tell whether a launch was noted at a moment or later."""
        return self._launched_at is not None and self._launched_at >= moment

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
        """Take one event in."""
        self.version += 1
        match event:
            case Launched():
                self._spent_before = self.seconds_spent()
                self._launched_at = event.time
                self.climbed_since_launch, self._setup, self.closed = [], event.setup, None
            case FieldClosed():
                self.closed = event.reason
            case TrialAdded():
                self.trials[event.trial] = TrialState(event.trial, event.configuration, event.origin, event.expected)
            case ClimbStarted():
                trial = self._trial(event)
                trial.climbing, trial.rung, trial.attempt = True, event.rung, event.attempt
                self.last_attempt = max(self.last_attempt, event.attempt)
                if event.trial not in self.climbed_since_launch:
                    self.climbed_since_launch.append(event.trial)
            case EpochScored():
                trial = self._trial(event)
                trial.epochs.append(event)
                trial.arrivals.append(self.version)
                trial.tries_lost = 0
                self._working_setups.add(self._setup)
            case ClimbEnded():
                trial = self._trial(event)
                trial.climbing = False
                trial.tries_lost += event.reason in ("lost", "out_of_memory")
            case TrialFailed():
                trial = self._trial(event)
                trial.climbing, trial.failure, trial.reason = False, event.failure, event.reason
            case Rewound():
                self._rewind(event)
            case Dropped():
                self.bytes_dropped += event.bytes
            case Requested():
                self._request(event)
        self._last_time = max(self._last_time, event.time)  # epochs that are caught up on are older

    def _rewind(self, event: Rewound) -> None:
        trial = self._trial(event)
        del trial.epochs[event.fold_epochs :], trial.arrivals[event.fold_epochs :]
        trial.climbing, trial.rung, trial.tries_lost = False, event.fold_epochs, 0
        trial.taken_back |= trial.failure is not None
        trial.failure = trial.reason = None

    def _request(self, event: Requested) -> None:
        self.requests[event.name] = event.request
        if isinstance(event.request, StopTrial) and event.request.trial in self.trials:
            self.trials[event.request.trial].withdrawn = True

    def _trial(self, event: ClimbStarted | EpochScored | ClimbEnded | TrialFailed | Rewound) -> TrialState:
        """Return the trial that an event is about.

        Raises:
            StateError: nobody added it.
        """
        try:
            return self.trials[event.trial]
        except KeyError:
            raise StateError(
                f"record.jsonl: tells of trial {event.trial}, which was never added; python -m analysis.check on the study's"
                " folder says what is wrong, and with --repair takes over what the trial folders know"
            ) from None
