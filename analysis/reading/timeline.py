"""When a study came to what it has: every score at a rung, and who led, over the time of search."""

from dataclasses import dataclass

from schedulers.ladder import Ladder
from studies.events import EpochScored, Event
from studies.study_state import StudyState


@dataclass(frozen=True)
class Scored:
    """A trial came to a rung; time is seconds of search, without the pauses between launches."""

    seconds: float
    trial: int
    rung: int
    score: float
    leads: bool  # since then, until the next that does


class Timeline:
    """Takes the events of a study in their order, each after its state has taken it in."""

    def __init__(self, ladder: Ladder, study: StudyState) -> None:
        self.ladder, self._study = ladder, study
        self.scored: list[Scored] = []
        self._best: tuple[int, float] | None = None

    def take(self, event: Event) -> None:
        """Note a trial that has come to a rung; only scores of one rung compare, and a higher rung says more."""
        if not isinstance(event, EpochScored) or event.trial not in self._study.trials:
            return
        rung = self._study.trials[event.trial].fold_epochs
        if rung not in self.ladder.rungs:
            return
        leads = self._best is None or (rung, event.score) > self._best
        self._best = (rung, event.score) if leads else self._best
        self.scored.append(Scored(self._study.seconds_spent(), event.trial, rung, event.score, leads))

    @property
    def leaders(self) -> list[Scored]:
        """Return who led, one after the other."""
        return [one for one in self.scored if one.leads]
