"""A study that is followed: its record from the beginning, then every event as it comes."""

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
class Told:
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
class Story:
    """What became of a study so far."""

    state: StudyState
    launch: Launch
    timeline: Timeline = field(init=False)
    forecasts: Forecasts = field(default_factory=Forecasts)
    decisions: list[Told] = field(default_factory=list)
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
        self._begin()

    def _begin(self) -> None:
        self._stored = self.folder.stored_space()
        self.folder.load_plugins()  # its strategy may be of one
        self._tail = RecordTail(self.folder.record)
        self.story = Story(StudyState(), Launch(self._stored, make_ladder(self._stored)))

    @property
    def damaged(self) -> list[int]:
        """Return the numbers of the lines of the record that cannot be read."""
        return self._tail.damaged

    @property
    def tag(self) -> str:
        """Return what changes with everything that the page shows but the clock."""
        return f"{self._tail.lines}-{self.running}-{id(self._tail)}"

    def refresh(self) -> None:
        """Take in what has been recorded since the last time."""
        if self._tail.was_replaced:
            self._begin()
        self.running = StudyLock.is_held(self.folder.path)
        for event in self._tail.new_events():
            if self.story.state.knows(event):  # else the line that told of its trial is damaged
                self._take(event)
        if not self.running:
            for trial in self.story.state.climbing():
                trial.climbing = False  # its driver is gone

    def seconds_left(self, now: float) -> tuple[float, float, float] | None:
        """Return how long the search still takes, with the least and the most that it may be; None where nothing says so."""
        story, launch = self.story, self.story.launch
        budget = make_budget(launch.space)
        return forecast_range(story.state, launch.ladder, budget, launch.slots, now, story.forecasts)

    def _take(self, event: Event) -> None:
        story = self.story
        story.state.apply(event)
        if isinstance(event, Launched | Requested | TrialAdded):
            story.changes.append(event)
        if isinstance(event, Launched | Requested):
            self._changed(event)
        story.timeline.take(event)
        if isinstance(event, EpochScored) and story.forecasts.wants(story.state.seconds_spent()):
            self.seconds_left(event.time)
        story.launch.slots = max(story.launch.slots, len(story.state.climbing()))
        words = Decisions(story.launch.space, story.launch.ladder, story.state).told(event)
        if words is not None:
            story.decisions.append(Told(event.time, words))

    def _changed(self, event: Launched | Requested) -> None:
        """Go on under what a launch or a request set."""
        story = self.story
        space = searched_space(self._stored, story.changes)
        slots = 1 if isinstance(event, Launched) else story.launch.slots
        story.launch = Launch(space, make_ladder(space), slots)
        story.timeline.ladder = story.launch.ladder
