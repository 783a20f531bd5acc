"""A study that is followed: its record from the beginning, then every event as it comes."""

from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import ValidationError

from analysis.reading.decisions import Decisions
from analysis.reading.timeline import Timeline
from schedulers.forecast import Forecasts, forecast_range
from schedulers.ladder import Ladder
from schedulers.search_settings import changed_space, make_budget, make_ladder
from search_spaces import SearchSettings, SearchSpace
from studies.events import EpochScored, Event, Launched, Requested
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
    ended: bool = False  # in the middle of climbs, which nobody goes on with

    def __post_init__(self) -> None:
        self.timeline = Timeline(self.launch.ladder, self.state)


class WatchedStudy:
    """Follows one study, by its files alone."""

    def __init__(self, folder: StudyFolder) -> None:
        self.folder = folder
        self._stored = folder.stored_space()
        folder.load_plugins()  # its strategy may be of one
        self.running = False
        self._begin()

    def _begin(self) -> None:
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
        if not story.state.knows(event):
            return  # the line that told of its trial is damaged
        story.state.apply(event)
        story.timeline.take(event)
        match event:
            case Launched():
                self._launched(event)
            case Requested():
                with suppress(ValueError):
                    story.launch.space = changed_space(story.launch.space, event.request)
            case EpochScored() if story.forecasts.wants(story.state.seconds_spent()):
                self.seconds_left(event.time)
        story.launch.slots = max(story.launch.slots, len(story.state.climbing()))
        words = Decisions(story.launch.space, story.launch.ladder, story.state).told(event)
        if words is not None:
            story.decisions.append(Told(event.time, words))

    def _launched(self, event: Launched) -> None:
        """Go on under the settings of this launch; those of another version leave what was."""
        with suppress(ValidationError, ValueError):
            search = SearchSettings.model_validate({**self._stored.search.model_dump(), **event.settings})
            space = self._stored.model_copy(update={"search": search})
            self.story.launch = Launch(space, make_ladder(space))
