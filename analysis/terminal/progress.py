"""What a search shows while it runs: a live table on a terminal, plain lines elsewhere."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from rich.console import Console, Group, RenderableType
from rich.live import Live

from analysis.reading.counts import count_trials
from analysis.reading.pace import spell_left, throughput
from analysis.reading.words import spell_parameters, spell_rung
from analysis.terminal.live import LiveView
from command_line.console import say
from search_spaces import SearchSpace
from search_spaces.durations import spell_duration
from studies.metrics import METRICS
from studies.state.ranking import best_trial
from studies.state.search_facts import SearchFacts
from studies.state.study_state import StudyState

_LINE_EVERY = 10.0  # seconds between plain lines, if anything has changed
_REFRESH = 0.5
_LIVE_ALONE = ("best configuration", "throughput")  # change with every look: lines would be full of them
Shown = TypeVar("Shown")


class Forecast(Protocol):
    """The seconds of search that are left, with the least and the most that it may be."""

    @property
    def left(self) -> float: ...
    @property
    def least(self) -> float: ...
    @property
    def most(self) -> float: ...


class Search(Protocol):
    """A search that runs, as its driver knows it."""

    @property
    def state(self) -> StudyState: ...
    @property
    def space(self) -> SearchSpace: ...
    @property
    def facts(self) -> SearchFacts: ...
    @property
    def most_trials(self) -> int: ...
    def elapsed(self) -> float: ...
    def time_left(self) -> Forecast | None: ...
    def plan(self) -> str | None: ...


class SearchProgress:
    """Tells how far a search is; reads the state that the driver's loop writes."""

    def __init__(self, console: Console, run: Search, name: str = "", *, shares: bool = False) -> None:
        """Tell of a search by the name of its study; one that `shares` its slots has a time of its own."""
        self._console, self._run, self.name, self._shares = console, run, name or run.space.name, shares
        self._study, self._space, self._rungs = run.state, run.space, run.facts.rungs
        self._shown_version, self._begun = -1, time.monotonic()
        self._shown: dict[str, str] = {}

    @property
    def has_news(self) -> bool:
        """Tell whether anything has happened since the last line."""
        return self._study.version != self._shown_version

    def line(self) -> str:
        """Return what has changed since the last line."""
        self._shown_version = self._study.version
        facts = self._facts()
        changed = {name: value for name, value in facts.items() if self._shown.get(name) != value}
        self._shown = facts
        line = " | ".join(f"{name} {value}" for name, value in changed.items() if name not in _LIVE_ALONE)
        return f"{spell_duration(time.monotonic() - self._begun)}: {line or 'nothing new'}"

    def table(self) -> RenderableType:
        """Return the state of the search."""
        title = f"Searching {self._space.task} ({self.name})"
        view = LiveView(title, self._facts(), self._study, self._rungs, METRICS[self._space.metric])
        return view.rendered(self._console.width, curves=self._console.encoding.startswith("utf"))

    def _facts(self) -> dict[str, str]:
        study, counts = self._study, count_trials(self._study, self._run.facts)
        places = [f"{count} {place}" for place, count in vars(counts).items() if count or place != "failed"]
        facts = {
            "trials": f"{len(study.trials)}/{self._run.most_trials}: {', '.join(places)}",
            "fold-epochs": str(study.fold_epochs),
            "time left" if not self._shares else "time left on all slots": self._time_left(),
            "throughput": throughput(study, self._run.elapsed()),
        }
        if plan := self._run.plan():
            facts["plan"] = plan
        if best := best_trial(study, self._rungs):
            trial, rung, score = best
            where = spell_rung(rung, self._rungs)
            if rung in self._rungs.inside_first_fold:
                where += " of one fold"
            facts["best"] = (
                f"{METRICS[self._space.metric].spelled(score)} trial {trial.number} ({trial.origin}, {where})"
            )
            facts["best configuration"] = spell_parameters(self._space.active(trial.configuration))
        return facts

    def _time_left(self) -> str:
        """Return what the budget leaves, or what the rest of the ladder takes at the speed so far."""
        forecast = self._run.time_left()
        return spell_left(None) if forecast is None else spell_left(forecast.left, forecast.least, forecast.most)


@contextmanager
def progress_shown(console: Console, searches: Mapping[str, Search]) -> Iterator[None]:
    """Show how far searches are, by the names of their studies, as long as the block runs."""
    views = [SearchProgress(console, search, name, shares=len(searches) > 1) for name, search in searches.items()]
    stop = threading.Event()
    show = _show_tables if console.is_terminal else _show_lines
    thread = threading.Thread(target=show, args=(console, views, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)


def _show_tables(console: Console, views: Sequence[SearchProgress], stop: threading.Event) -> None:
    def tables() -> RenderableType:
        return Group(*(_until_it_holds_still(view.table) for view in views))

    with Live(console=console, get_renderable=tables, refresh_per_second=2):
        stop.wait()


def _show_lines(console: Console, views: Sequence[SearchProgress], stop: threading.Event) -> None:
    told_at = 0.0
    while not stop.wait(_REFRESH):
        if time.monotonic() - told_at > _LINE_EVERY and any(view.has_news for view in views):
            told_at = time.monotonic()
            _tell(console, views)
    _tell(console, views)


def _tell(console: Console, views: Sequence[SearchProgress]) -> None:
    for view in views:
        name = "" if len(views) == 1 else f"{view.name}, "
        say(f"{name}{_until_it_holds_still(view.line)}", to=console)


def _until_it_holds_still(show: Callable[[], Shown]) -> Shown:
    """Return what `show` makes; the driver's loop may change the state under it, then it looks again."""
    while True:
        try:
            return show()
        except RuntimeError as error:
            if "during iteration" not in str(error):  # a dictionary grew while it was read
                raise
            time.sleep(0.01)
