"""A strategy: who goes on to the next rung. What every way to spend fold-epochs has in common."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, ClassVar

from studies.state.ranking import ranked_at
from studies.state.rungs import Rung, Rungs
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


@dataclass(frozen=True)
class Climb:
    """Train one fold of a trial to so many epochs."""

    trial: int
    fold: int
    epoch: int


@dataclass(frozen=True)
class NewTrial:
    """Ask the sampler for a configuration; the first trial is the recipe."""


@dataclass(frozen=True)
class Outlook:
    """What the budget leaves a strategy to decide on."""

    contenders: int  # trials by merit that the whole budget is expected to pay for, those begun included
    open: bool = True  # new trials may begin
    finals_due: bool = False  # what is left is just enough for the finalists
    may_promote_early: bool = (
        True  # fold-epochs are not what is short: rather a promotion that proves wrong than an idle slot
    )


@dataclass(frozen=True)
class Strategy(ABC):
    """Who goes on to the next rung of a ladder.

    Pure: a decision depends on the study's record and the outlook alone, so the same object runs under Ray, in
    the replay and in tests. A new strategy is one file in `schedulers/strategies` and its entry in the table there.
    """

    epochs: int
    folds: int
    finalists: int = field(default=3, kw_only=True)  # train all folds, where there are finals; keep weights everywhere

    has_finals: ClassVar[bool] = False  # whether a given number of trials trains all folds

    @abstractmethod
    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return what a free slot does next, None if nothing until a climb ends; the recipe is not its business."""

    @abstractmethod
    def cost(self, contenders: int) -> float:
        """Return the fold-epochs that so many trials are expected to take."""

    @abstractmethod
    def places(self, rung: Rung, reached: int) -> int:
        """Return how many of `reached` trials at a rung deserve more: the sampler's notion of depth."""

    @property
    def epoch_rungs(self) -> Iterable[int]:
        """Return the epochs of the first fold after which trials are compared."""
        return ()

    @cached_property
    def rungs(self) -> Rungs:
        """Return the rungs where trials are compared."""
        return Rungs.of(self.folds, self.epochs, self.epoch_rungs)

    def ranked(self, trials: Iterable[TrialState], rung: Rung) -> list[TrialState]:
        """Return the trials that reached a rung in the order in which they deserve a place."""
        return ranked_at(trials, rung)

    def compares(self, trials: Sequence[TrialState], rung: Rung) -> bool:
        """Tell whether places are given at a rung, as things stand."""
        return True

    def finals(self, study: StudyState) -> list[TrialState]:
        """Return the trials that are to train all folds as things stand; none for a strategy without finals."""
        return []

    def folds_expected(self, *, leads: bool) -> int:
        """Return how many folds a finalist is expected to train; `leads` is said of the best."""
        return self.folds

    def next_rung(self, trial: TrialState) -> Rung:
        """Return the lowest rung that a trial has not trained for."""
        return next(rung for rung in self.rungs.levels if not trial.has_trained(rung))

    def climb(self, trial: TrialState, rung: Rung | None = None) -> Climb:
        """Return the climb of the first fold that a trial lacks for a rung; for its next rung where none is named."""
        rung = self.next_rung(trial) if rung is None else rung
        fold = next(fold for fold in range(rung.folds) if trial.epochs_of(fold) < rung.epoch)
        return Climb(trial.number, fold, rung.epoch)

    def settings(self) -> dict[str, Any]:
        """Return the settings of the strategy by name, beside epochs, folds and finalists."""
        own = [setting.name for setting in fields(self) if setting.name not in ("epochs", "folds", "finalists")]
        return {name: getattr(self, name) for name in own}


@dataclass(frozen=True)
class ComparesEarly(Strategy):
    """A strategy that compares trials for the first time after `grace_period` epochs."""

    grace_period: int = field(default=1, kw_only=True)


def earned_rungs(study: StudyState, strategy: Strategy) -> dict[int, Rung | None]:
    """Return for every trial the highest rung it has reached and would be sent to, judged by all scores known now.

    A sampler ranks by depth before score, so the recipe, lucky early promotions and folds that were trained beside must not
    look deeper than a trial of that score gets. None for a trial that has reached no rung.
    """
    earned: dict[int, Rung | None] = dict.fromkeys(study.trials)
    stayed: set[int] = set()
    everyone = list(study.trials.values())
    for rung in strategy.rungs.levels:
        ranked = strategy.ranked(everyone, rung)
        places = max(1, strategy.places(rung, len(ranked))) if strategy.compares(everyone, rung) else len(ranked)
        inside = {trial.number for trial in ranked[:places]}
        lowest_in = min([trial.score_at(rung) or 0.0 for trial in ranked[:places]], default=0.0)
        for trial in ranked:
            if trial.number not in stayed:
                earned[trial.number] = rung
            if trial.number not in inside and (trial.score_at(rung) or 0.0) < lowest_in:
                stayed.add(trial.number)
    return earned
