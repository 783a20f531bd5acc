"""The ladder of rungs: what every strategy for spending fold-epochs stands on."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import ClassVar

from studies.climb_order import FoldOrder, position_after
from studies.study_state import StudyState, TrialState


@dataclass(frozen=True)
class Climb:
    """Take `trial` to `rung`, counted in fold-epochs."""

    trial: int
    rung: int


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
class Ladder(ABC):
    """Rungs in fold-epochs, and who goes on to the next: one strategy for spending fold-epochs.

    Pure: a decision depends on the study's record and the outlook alone, so the same object runs under Ray, in
    the replay and in tests. A new strategy is one file in `schedulers/strategies` and its entry in the table there.
    """

    epochs: int
    folds: int
    finalists: int = field(
        default=3, kw_only=True
    )  # train all folds, where there are finals; keep their weights everywhere

    fold_order: ClassVar[FoldOrder] = "sequential"
    has_finals: ClassVar[bool] = False  # whether a given number of trials trains all folds

    @abstractmethod
    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return what a free slot does next, None if nothing until a climb ends; the recipe is not its business."""

    @abstractmethod
    def cost(self, contenders: int) -> float:
        """Return the fold-epochs that so many trials are expected to take."""

    @abstractmethod
    def places(self, rung: int, reached: int) -> int:
        """Return how many of `reached` trials at a rung deserve more: the sampler's notion of depth."""

    def ranked(self, trials: Iterable[TrialState], rung: int) -> list[TrialState]:
        """Return the trials that reached a rung in the order in which they deserve a place."""
        return ranked_at(trials, rung)

    def compares(self, trials: Sequence[TrialState], rung: int) -> bool:
        """Tell whether places are given at a rung, as things stand."""
        return True

    def finals(self, study: StudyState) -> list[TrialState]:
        """Return the trials that are to train all folds as things stand; none for a strategy without finals."""
        return []

    def folds_expected(self, *, leads: bool) -> int:
        """Return how many folds one of the finals is expected to train; `leads` is said of the best."""
        return self.folds

    @property
    def epoch_rungs(self) -> tuple[int, ...]:
        """Return the rungs inside the first fold."""
        return ()

    @property
    def rungs(self) -> tuple[int, ...]:
        """Return all rungs: inside the first fold, then fold by fold."""
        return (*self.epoch_rungs, *(self.epochs * fold for fold in range(1, self.folds + 1)))

    @property
    def top(self) -> int:
        """Return the fold-epochs of a whole trial."""
        return self.epochs * self.folds

    def next_rung(self, fold_epochs: int) -> int:
        """Return the lowest rung above `fold_epochs`."""
        return next(rung for rung in self.rungs if rung > fold_epochs)

    def position(self, done: int) -> tuple[int, int]:
        """Return the fold and the epoch, both from 0, that come after `done` fold-epochs."""
        return position_after(done, self.epochs, self.folds, self.fold_order)


@dataclass(frozen=True)
class ComparesEarly(Ladder):
    """A strategy that compares trials for the first time after `grace_period` epochs."""

    grace_period: int = field(default=1, kw_only=True)


def competitors(study: StudyState) -> list[TrialState]:
    """Return the trials that climb by merit: all but the recipe, which always goes to the top."""
    return [trial for trial in study.trials.values() if trial.origin != "recipe"]


def ranked_at(trials: Iterable[TrialState], rung: int) -> list[TrialState]:
    """Return the trials that reached `rung`, best score first, ties to the earlier trial; failed ones left out."""
    reached = [(trial, trial.score_at(rung)) for trial in trials if trial.failure is None]
    scored = [(trial, score) for trial, score in reached if score is not None and isfinite(score)]
    return [trial for trial, score in sorted(scored, key=lambda pair: (-pair[1], pair[0].number))]


def earned_rungs(study: StudyState, ladder: Ladder) -> dict[int, int]:
    """Return for every trial the highest rung it has reached and would be sent to, judged by all scores known now.

    A sampler ranks by depth before score, so the recipe and lucky early promotions must not look
    deeper than a trial of that score gets. 0 for a trial that has reached none.
    """
    earned = dict.fromkeys(study.trials, 0)
    stayed: set[int] = set()
    everyone = list(study.trials.values())
    for rung in ladder.rungs:
        ranked = ladder.ranked(everyone, rung)
        places = max(1, ladder.places(rung, len(ranked))) if ladder.compares(everyone, rung) else len(ranked)
        inside = {trial.number for trial in ranked[:places]}
        lowest_in = min([trial.score_at(rung) or 0.0 for trial in ranked[:places]], default=0.0)
        for trial in ranked:
            if trial.number not in stayed:
                earned[trial.number] = rung
            if trial.number not in inside and (trial.score_at(rung) or 0.0) < lowest_in:
                stayed.add(trial.number)
    return earned
