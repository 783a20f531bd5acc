"""A study that is followed: its record from the beginning, then every event as it comes."""

import time
from dataclasses import dataclass, field

from analysis.reading.decisions import Decisions
from analysis.reading.opened import searched_space
from analysis.reading.timeline import Timeline
from search_spaces import SearchSpace
from studies.record.events import ClimbStarted, Event, Launched, Requested, TrialAdded
from studies.record.record_tail import RecordTail
from studies.state.search_facts import SearchFacts, facts_of
from studies.state.study_state import StudyState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.study_lock import running_launch


@dataclass(frozen=True)
class Decision:
    """A decision in words, and when it was made (seconds since 1970)."""

    time: float
    words: str


@dataclass
class History:
    """What became of a study so far, and what it is searched under."""

    state: StudyState
    space: SearchSpace
    facts: SearchFacts
    timeline: Timeline = field(init=False)
    decisions: list[Decision] = field(default_factory=list)
    changes: list[Event] = field(default_factory=list)  # of what the study is searched under

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.facts.rungs, self.state)


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
        self.study = Study.existing(self.folder)
        self._tail, self._begun = RecordTail(self.folder.record), time.monotonic()
        self._last_event = self._begun
        self.history = History(StudyState(), self.study.space, facts_of(self.study.space, ()))

    @property
    def damaged(self) -> list[int]:
        """Return the numbers of the lines of the record that cannot be read."""
        return self._tail.damaged

    @property
    def tag(self) -> str:
        """Return what changes with everything that the page shows but the clock."""
        return f"{self._tail.lines}-{self.running}-{self._begun}"

    @property
    def elapsed(self) -> float:
        """Return the seconds of search so far; while it goes on, those since the last event count by this process's clock."""
        launch = self.history.state.launch
        counts = (
            self.searching and launch is not None and not launch.shared
        )  # a study among several has a time of its own
        since = time.monotonic() - self._last_event if counts else 0.0
        return self.history.state.elapsed + since

    def refresh(self) -> None:
        """Take in what has been recorded since the last time."""
        launch = running_launch(self.folder.path)
        events = self._tail.new_events()
        if events is None:
            self._begin()
            events = self._tail.new_events() or []
        for event in events:
            if self.history.state.knows(event):  # else the line that told of its trial is damaged
                self._take(event)
        if events:
            self._last_event = time.monotonic()
        self.running = launch is not None
        noted = self.history.state.launch
        self.searching = launch is not None and noted is not None and noted.launch == launch
        if not self.running:
            for trial in self.history.state.climbing():
                for _, fold in trial.climbs:
                    fold.climbing = False  # its driver is gone

    def seconds_left(self) -> tuple[float, float, float] | None:
        """Return how long the search still takes, with the least and the most that it may be, as its driver last said."""
        forecast = self.history.state.forecast
        if forecast is None:
            return None
        since = self.elapsed - (forecast.elapsed or 0.0)
        left, least, most = (max(0.0, seconds - since) for seconds in (forecast.left, forecast.least, forecast.most))
        return left, least, most

    def _take(self, event: Event) -> None:
        history = self.history
        history.state.apply(event)
        former = history.facts.slots is None and isinstance(event, ClimbStarted)
        if former or isinstance(event, Launched | Requested | TrialAdded):
            history.changes.append(event)
        if former or isinstance(event, Launched | Requested):
            self._changed()
        history.timeline.take(event)
        words = Decisions(history.space, history.facts.rungs, history.state).told(event)
        if words is not None:
            history.decisions.append(Decision(event.time, words))

    def _changed(self) -> None:
        """Go on under what a launch or a request set."""
        history = self.history
        history.space = searched_space(self.study.space, history.changes)
        history.facts = facts_of(self.study.space, history.changes)
        history.timeline.rungs = history.facts.rungs
