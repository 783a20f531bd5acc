"""When a study came to what it has: every score at a rung, and who led, over the time of search."""

from dataclasses import dataclass

from studies.record.events import Event, FoldRewound, RungReached, TrialFailed, TrialRestored
from studies.state.ranking import best_trial
from studies.state.rungs import Rung, Rungs
from studies.state.study_state import StudyState


@dataclass(frozen=True)
class Scored:
    """A trial at a rung; time is seconds of search, without the pauses between launches."""

    seconds: float
    trial: int
    rung: Rung
    score: float


@dataclass(frozen=True)
class Lead:
    """Who leads from a moment on; None: nobody does, because the leader has failed."""

    since: float  # seconds of search
    scored: Scored | None


class Timeline:
    """Takes the events of a study in their order, each after its state has taken it in."""

    def __init__(self, rungs: Rungs, study: StudyState) -> None:
        self.rungs, self._study = rungs, study
        self.scored: list[Scored] = []  # every trial that came to a rung
        self.leaders: list[Lead] = []  # who led, each until the next

    def take(self, event: Event) -> None:
        """Note a trial that has come to a rung, and another leader; a higher rung says more than a score."""
        match event:
            case RungReached() if (rung := Rung(event.folds, event.epoch)) in self.rungs.levels:
                self.scored.append(Scored(self._study.elapsed, event.trial, rung, event.score))
                leads = self._leads
                if leads is None or (rung, event.score) > (leads.rung, leads.score):
                    self.leaders.append(Lead(self.scored[-1].seconds, self.scored[-1]))
            case TrialFailed() | FoldRewound() | TrialRestored():
                self._lead_anew()

    @property
    def until(self) -> float:
        """Return the seconds of search so far."""
        return self._study.elapsed

    @property
    def _leads(self) -> Scored | None:
        return self.leaders[-1].scored if self.leaders else None

    def _lead_anew(self) -> None:
        """Let whoever leads now come after the last leader, if that is another, or another score; perhaps nobody does."""
        now, found, leads = self._study.elapsed, best_trial(self._study, self.rungs), self._leads
        leader = None if found is None else Scored(now, found[0].number, found[1], found[2])
        if (leader and (leader.trial, leader.rung, leader.score)) != (leads and (leads.trial, leads.rung, leads.score)):
            self.leaders.append(Lead(now, leader))
