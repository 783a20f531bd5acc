"""A study that is followed: its record from the beginning, then every event as it comes."""

import time
from dataclasses import dataclass, field

from analysis.reading.decisions import Decisions
from analysis.reading.opened import searched_space
from analysis.reading.timeline import Timeline
from schedulers.ladder import Ladder
from schedulers.search_settings import make_budget, make_ladder
from schedulers.spending.forecast import Forecasts, forecast_range
from search_spaces import SearchSpace
from studies.events import EpochScored, Event, Launched, Requested, TrialAdded
from studies.record import StudyLock
from studies.record_tail import RecordTail
from studies.study_folder import StudyFolder
from studies.study_state import StudyState


@dataclass(frozen=True)
class Decision:
    """A decision in words, and when it was made (seconds since 1970)."""

    time: float
    words: str


@dataclass
class Launch:
    """What the last launch searches under."""

    space: SearchSpace
    ladder: Ladder
    slots: int = 1  # as many climbs as were seen at once


@dataclass
class History:
    """What became of a study so far."""

    state: StudyState
    launch: Launch
    timeline: Timeline = field(init=False)
    forecasts: Forecasts = field(default_factory=Forecasts)
    decisions: list[Decision] = field(default_factory=list)
    changes: list[Event] = field(default_factory=list)  # of what the study is searched under

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.launch.ladder, self.state)


class WatchedStudy:
    """Follows one study, by its files alone.

    Raises:
        ValueError: it cannot be opened; `refresh` raises it, too.
    """

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder
        self.running = False
        self.searching = False  # what runs has noted its launch: until then no time counts
        self._begin()

    def _begin(self) -> None:
        self._stored = self.folder.stored_space()
        self.folder.load_plugins()  # its strategy may be of one
        self._tail, self._begun = RecordTail(self.folder.record), time.monotonic()
        self.history = History(StudyState(), Launch(self._stored, make_ladder(self._stored)))

    @property
    def damaged(self) -> list[int]:
        """Return the numbers of the lines of the record that cannot be read."""
        return self._tail.damaged

    @property
    def tag(self) -> str:
        """Return what changes with everything that the page shows but the clock."""
        return f"{self._tail.lines}-{self.running}-{self._begun}"

    def refresh(self) -> None:
        """Take in what has been recorded since the last time."""
        held_since = StudyLock.held_since(self.folder.path)
        events = self._tail.new_events()
        if events is None:
            self._begin()
            events = self._tail.new_events() or []
        for event in events:
            if self.history.state.knows(event):  # else the line that told of its trial is damaged
                self._take(event)
        self.running = held_since is not None
        self.searching = held_since is not None and self.history.state.launched_since(held_since)
        if not self.running:
            for trial in self.history.state.climbing():
                trial.climbing = False  # its driver is gone

    def seconds_left(self, now: float) -> tuple[float, float, float] | None:
        """Return how long the search still takes, with the least and the most that it may be; None where nothing says so."""
        history, launch = self.history, self.history.launch
        budget = make_budget(launch.space)
        return forecast_range(history.state, launch.ladder, budget, launch.slots, now, history.forecasts)

    def _take(self, event: Event) -> None:
        history = self.history
        history.state.apply(event)
        if isinstance(event, Launched | Requested | TrialAdded):
            history.changes.append(event)
        if isinstance(event, Launched | Requested):
            self._changed(event)
        history.timeline.take(event)
        if isinstance(event, EpochScored) and history.forecasts.wants(history.state.seconds_spent()):
            self.seconds_left(event.time)
        history.launch.slots = max(history.launch.slots, len(history.state.climbing()))
        words = Decisions(history.launch.space, history.launch.ladder, history.state).told(event)
        if words is not None:
            history.decisions.append(Decision(event.time, words))

    def _changed(self, event: Launched | Requested) -> None:
        """Go on under what a launch or a request set."""
        history = self.history
        history.forecasts = Forecasts()  # those before were of another budget
        space = searched_space(self._stored, history.changes)
        slots = 1 if isinstance(event, Launched) else history.launch.slots
        history.launch = Launch(space, make_ladder(space), slots)
        history.timeline.ladder = history.launch.ladder
