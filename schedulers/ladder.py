"""The ladder of rungs, and which trials have earned the next one.

Successive halving with promotion: Li et al., "A System for Massively Parallel Hyperparameter Tuning"
(ASHA), MLSys 2020, algorithm 2. Unlike Ray's AsyncHyperBandScheduler it promotes a trial only when it
has been compared, so the first trials do not pass every rung because they were alone there.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from schedulers.study_state import StudyState, TrialState


@dataclass(frozen=True)
class Ladder:
    """Rungs in fold-epochs: a few epochs of the first fold, times `reduction_factor`, then fold by fold."""

    epochs: int
    folds: int
    grace_period: int = 1
    reduction_factor: int = 3
    finalists: int = 3

    @property
    def rungs(self) -> tuple[int, ...]:
        in_first_fold = []
        rung = min(self.grace_period, self.epochs)
        while rung < self.epochs:
            in_first_fold.append(rung)
            rung *= self.reduction_factor
        return (*in_first_fold, *(self.epochs * fold for fold in range(1, self.folds + 1)))

    @property
    def top(self) -> int:
        """Return the fold-epochs of a whole trial."""
        return self.epochs * self.folds

    def next_rung(self, fold_epochs: int) -> int:
        """Return the lowest rung above `fold_epochs`."""
        return next(rung for rung in self.rungs if rung > fold_epochs)

    def epoch_rungs(self) -> tuple[int, ...]:
        """Return the rungs below the end of the first fold: those where trials are compared to be thinned out."""
        return tuple(rung for rung in self.rungs if rung < self.epochs)


def competitors(study: StudyState) -> list[TrialState]:
    """Return the trials that climb by merit: all but the recipe, which always goes to the top."""
    return [trial for trial in study.trials.values() if trial.origin != "recipe"]


def ranked_at(trials: Iterable[TrialState], rung: int) -> list[TrialState]:
    """Return the trials that reached `rung`, best score first, ties to the earlier trial; failed ones left out."""
    reached = [(trial, trial.score_at(rung)) for trial in trials if trial.failure is None]
    scored = [(trial, score) for trial, score in reached if score is not None and isfinite(score)]
    return [trial for trial, score in sorted(scored, key=lambda pair: (-pair[1], pair[0].number))]


def quota(ladder: Ladder, reached: int, *, closed: bool) -> int:
    """Return how many of `reached` trials may leave an epoch rung.

    While new trials are still coming it is the best 1/reduction_factor, rounded down; once the
    rung is `closed` at least as many as the finals have places.
    """
    share = reached // ladder.reduction_factor
    return max(share, ladder.finalists) if closed else share


def earned_rungs(study: StudyState, ladder: Ladder) -> dict[int, int]:
    """Return for every trial the highest rung it has reached and would be sent to, judged by all scores known now.

    A sampler ranks by depth before score, so the recipe and lucky early promotions must not look
    deeper than a trial of that score gets. 0 for a trial that has reached none.
    """
    earned = dict.fromkeys(study.trials, 0)
    stayed: set[int] = set()
    for rung in ladder.rungs:
        ranked = ranked_at(study.trials.values(), rung)
        below_finals = rung < ladder.epochs
        places = max(1, len(ranked) // ladder.reduction_factor) if below_finals else ladder.finalists
        lowest_in = [trial.score_at(rung) or 0.0 for trial in ranked][:places][-1:]
        for trial in ranked:
            if trial.number not in stayed:
                earned[trial.number] = rung
            if (trial.score_at(rung) or 0.0) < min(lowest_in):
                stayed.add(trial.number)
    return earned


def finalists(study: StudyState, ladder: Ladder) -> list[TrialState]:
    """Return the trials in the places of the finals: deepest compared rung first, then score."""
    contenders: list[TrialState] = []
    for rung in reversed([rung for rung in ladder.rungs if rung <= ladder.epochs]):
        contenders += [trial for trial in ranked_at(competitors(study), rung) if trial not in contenders]
    return contenders[: ladder.finalists]
