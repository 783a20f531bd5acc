"""The finals: the best few train fold by fold, side by side, and one that cannot win any more may leave."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import ClassVar

from schedulers.race import FOLDS_NEEDED, RaceRule, leaves_race
from schedulers.strategy import Climb, ComparesEarly, Strategy
from studies.state.ranking import competitors
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState


@dataclass(frozen=True)
class Finals(ComparesEarly):
    """A strategy whose best few train all folds, less those that leave the race."""

    race: RaceRule = field(default="worst_fold", kw_only=True)

    has_finals: ClassVar[bool] = True

    def finals(self, study: StudyState) -> list[TrialState]:
        """Return the finalists that are still in the race."""
        return racing(self, finalists(study, self))

    def folds_expected(self, *, leads: bool) -> int:
        """Return all folds for the leader, for the others as many as they need to be out of it."""
        return self.folds if leads else int(min(self.folds, FOLDS_NEEDED[self.race]))


def final_climb(strategy: Finals, study: StudyState, *, settled: bool, may_promote_early: bool) -> Climb | None:
    """Return the next fold of a finalist: first what all are compared on, then as guesses what some will need.

    While others are in the first fold and may still come in, those go on whose place is certain, and as a guess those that
    may lose theirs.
    """
    field = finalists(study, strategy)
    coming = 0 if settled else _coming(study, strategy)
    if coming:
        field = [trial for trial in field if trial.epochs_of(0) >= strategy.epochs]
    racers = racing(strategy, field)
    certain = racers[: max(0, strategy.finalists - coming)]
    if climb := _fold_to_compare(strategy, certain):
        return climb
    if not may_promote_early:
        return _next_fold(strategy, certain) if len(racers) == 1 and not coming else None  # it needs each of its folds
    return _next_fold(strategy, certain) or _fold_to_compare(strategy, racers) or _next_fold(strategy, racers)


def _fold_to_compare(strategy: Finals, racers: Sequence[TrialState]) -> Climb | None:
    """Return the lowest fold that not every racer has, and folds that each trains before any can leave."""
    missing = (fold for fold in range(strategy.folds) if any(one.epochs_of(fold) < strategy.epochs for one in racers))
    needed = range(strategy.folds_expected(leads=False))
    return _first_lacking(strategy, racers, [*islice(missing, 1), *needed])


def _next_fold(strategy: Finals, racers: Sequence[TrialState]) -> Climb | None:
    """Return the next fold of the leader, or else of one that may still leave the race, the best first."""
    for trial in by_shared_folds(strategy, racers):
        if climb := _first_lacking(strategy, [trial], range(strategy.folds)):
            return climb
    return None


def _first_lacking(strategy: Finals, racers: Sequence[TrialState], folds: Iterable[int]) -> Climb | None:
    lacking = ((fold, trial) for fold in folds for trial in racers if trial.lacks(fold, strategy.epochs))
    return next((Climb(trial.number, fold, strategy.epochs) for fold, trial in lacking), None)


def by_shared_folds(strategy: Finals, racers: Sequence[TrialState]) -> list[TrialState]:
    """Return racers by their mean score on the folds that all of them have, the leader first."""
    scores = {trial.number: trial.fold_scores(strategy.epochs) for trial in racers}
    shared = min(map(len, scores.values()), default=0)
    return sorted(racers, key=lambda trial: -sum(scores[trial.number][:shared]))


def finalists(study: StudyState, strategy: Finals) -> list[TrialState]:
    """Return the trials in the places of the finals: deepest compared rung first, then score."""
    contenders: dict[int, TrialState] = {}
    for rung in reversed([rung for rung in strategy.rungs.levels if rung.folds == 1]):
        if len(contenders) >= strategy.finalists:
            break
        deepest = strategy.ranked(competitors(study), rung)
        contenders |= {trial.number: trial for trial in deepest if trial.number not in contenders}
    return list(contenders.values())[: strategy.finalists]


def racing(strategy: Finals, field: list[TrialState]) -> list[TrialState]:
    """Return the finalists that are still in the race, each compared with all others on the folds they share."""
    scores = {trial.number: trial.fold_scores(strategy.epochs) for trial in field}

    def left(trial: TrialState) -> bool:
        ours = scores[trial.number]
        rivals = [scores[rival.number] for rival in field if rival is not trial]
        shared = [(ours[: len(theirs)], theirs[: len(ours)]) for theirs in rivals]
        return any(leaves_race(strategy.race, mine, theirs) for mine, theirs in shared if len(mine) == len(ours))

    return [trial for trial in field if not left(trial)]


def _coming(study: StudyState, strategy: Strategy) -> int:
    """Return how many trials are on their way through the first fold."""
    return sum(trial.climbing and trial.epochs_of(0) < strategy.epochs for trial in competitors(study))
