"""The default: everyone gets the first rung, and places on the next are given once they are certain.

A rung of few trials cannot tell the best from the lucky, and with a known budget there is no need to guess: as
long as new trials come, a free slot begins one. A trial is promoted when it is among the best whatever the
trials still to come will score, or when a slot would idle otherwise. (Where other data say what to expect, its rank among those
expectations counts, too; newcomers can change that a little, so that now and then one more than planned goes on.)
A look whose ranking is turned round at the next one is skipped: all go on.

Comparing costs nothing here, a resting trial keeps its state: so there is a look every `grace_period` epochs, `looks` of
them. Half (`keep`) go on from each, for a first epoch says little (a slow starter that wins stands in the middle), and from
the last one the finalists train on: with 32 contenders and three finalists 32, 16, 8, 3. It is successive halving
(Jamieson and Talwalkar, AISTATS 2016) without its barrier. Where other data say what to expect, fewer looks do (`INFORMED`).
What it was measured against: `benchmarks.replay`, and `benchmarks.knowledge.promotion` with expectations.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from schedulers.agreement import rank_agreement
from schedulers.strategies.expectations import with_prior
from schedulers.strategies.finals import Finals, final_climb
from schedulers.strategy import Climb, NewTrial, Outlook
from studies.state.ranking import competitors, ranked_at
from studies.state.rungs import Rung
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

# Kendall's tau with the next look. Those that went on differ less than all, which pushes it down: of good looks it is about 0.2.
BLIND_BELOW = 0.0
ENOUGH = 6  # trials at both looks; fewer say nothing about the looks
UNINFORMED: dict[str, Any] = {"looks": 3, "keep": 0.5}
INFORMED: dict[str, Any] = {"looks": 2, "keep": 0.25}  # in a study whose portfolio says what to expect


@dataclass(frozen=True)
class FoldLadder(Finals):
    """Certain promotions first, then new trials, then likely promotions rather than an idle slot."""

    looks: int = field(default=UNINFORMED["looks"], kw_only=True)  # inside the first fold, one every grace period
    keep: float = field(default=UNINFORMED["keep"], kw_only=True)  # share that goes on from every look but the last
    prior: float = field(default=0.5, kw_only=True)  # share of what other data say in the places at a look
    blind_below: float = field(default=BLIND_BELOW, kw_only=True)  # a look that agrees less with the next is skipped

    @property
    def epoch_rungs(self) -> tuple[int, ...]:
        """Return the epochs of the looks inside the first fold, one every grace period."""
        looks = (self.grace_period * number for number in range(1, self.looks + 1))
        return tuple(epoch for epoch in looks if epoch < self.epochs)

    @property
    def compared_rungs(self) -> tuple[Rung, ...]:
        """Return where places are given: at the looks, or after the first fold if it is too short for one."""
        return self.rungs.inside_first_fold or (Rung(1, self.epochs),)

    def ranked(self, trials: Iterable[TrialState], rung: Rung) -> list[TrialState]:
        """Return the trials in the order in which they deserve a place; at a look, what other data say counts, too."""
        order = ranked_at(trials, rung)
        return with_prior(order, self.prior) if rung in self.rungs.inside_first_fold else order

    def choose(self, study: StudyState, outlook: Outlook) -> Climb | NewTrial | None:
        """Return a certain promotion, else a new trial, else a likely promotion, else a finalist's next fold."""
        field = Field(self, study, outlook)
        if not outlook.finals_due:
            if certain := field.certain():
                return self.climb(certain)
            if outlook.open:
                return NewTrial()
            if outlook.may_promote_early and (likely := field.likely()):
                return self.climb(likely)
        settled = field.settled or (
            outlook.finals_due and outlook.may_promote_early
        )  # time does not wait, fold-epochs do
        return final_climb(self, study, settled=settled, may_promote_early=outlook.may_promote_early)

    def cost(self, contenders: int) -> float:
        """Return the fold-epochs of so many contenders when every rung sends on as many as it has places."""
        total, standing, below = 0.0, contenders, 0
        for index, rung in enumerate(self.compared_rungs):
            total += standing * (rung.epoch - below)
            standing, below = self.quota(index, contenders), rung.epoch
        finalists = min(standing, self.finalists)
        return total + standing * (self.epochs - below) + finalists * (self.rungs.whole - self.epochs)

    def places(self, rung: Rung, reached: int) -> int:
        """Return how many go on: the share `keep` from every look, and the finalists from the last one."""
        if reached <= self.finalists or rung >= max(self.rungs.inside_first_fold, default=self.rungs.first):
            return min(reached, self.finalists)
        return max(self.finalists, int(reached * self.keep))

    def blind_looks(self, trials: Sequence[TrialState]) -> Iterator[int]:
        """Yield the looks, by index, whose ranking says nothing about the next one, as far as this study shows it."""
        for index, (rung, later) in enumerate(pairwise(self.compared_rungs)):
            both, tau = rank_agreement(trials, rung, later)
            if both >= ENOUGH and tau is not None and tau < self.blind_below:
                yield index

    def compares(self, trials: Sequence[TrialState], rung: Rung) -> bool:
        """Tell whether places are given at a rung: not at a look that is skipped."""
        return rung not in [self.compared_rungs[index] for index in self.blind_looks(trials)]

    def quota(self, index: int, contenders: int) -> int:
        """Return how many of all contenders go on from the compared rung of this index."""
        standing = contenders
        for rung in self.compared_rungs[: index + 1]:
            standing = self.places(rung, standing)
        return standing


class Field:
    """The contenders at the compared rungs at one moment: who has a place, and how many may still come."""

    def __init__(self, ladder: FoldLadder, study: StudyState, outlook: Outlook) -> None:
        self._ladder = ladder
        trials = competitors(study)
        self._ranked = [ladder.ranked(trials, rung) for rung in ladder.compared_rungs]
        self._quotas = [ladder.quota(index, outlook.contenders) for index in range(len(ladder.compared_rungs))]
        for index in ladder.blind_looks(trials):  # all go on that the look before sent
            self._quotas[index] = self._quotas[index - 1] if index else outlook.contenders
        unseen = max(0, outlook.contenders - len(trials)) if outlook.open else 0
        self._coming: list[int] = []
        for index, rung in enumerate(ladder.compared_rungs):
            entitled = self._ranked[index - 1][: self._quotas[index - 1]] if index else trials
            named = {trial.number for trial in entitled if trial.failure is None and not trial.has_trained(rung)}
            named |= {trial.number for trial in trials if is_coming_to(trial, rung)}
            above = min(self._coming[-1], self._quotas[index - 1]) if index else unseen
            self._coming.append(len(named) + above)

    @property
    def settled(self) -> bool:
        """Tell whether nobody may arrive at a compared rung any more."""
        return not any(self._coming)

    def certain(self) -> TrialState | None:
        """Return a trial that has a place whatever the trials still to come will score, highest rung first."""
        for index in reversed(range(len(self._ranked))):
            if waiting := self._waiting(index, self._quotas[index] - self._coming[index]):
                return waiting
        return None

    def likely(self) -> TrialState | None:
        """Return a trial within the share of places that belongs to those seen so far, else any that may yet have one.

        Lowest rung first: a guess is cheap there.
        """
        for index, ranked in enumerate(self._ranked):
            share = self._quotas[index] * len(ranked) // max(1, len(ranked) + self._coming[index])
            if waiting := self._waiting(index, share):
                return waiting
        possible = (self._waiting(index, quota) for index, quota in enumerate(self._quotas))
        return next((waiting for waiting in possible if waiting), None)

    def _waiting(self, index: int, places: int) -> TrialState | None:
        """Return the best trial among the first so many of a rung that has not left it."""
        rung = self._ladder.compared_rungs[index]
        held = self._ranked[index][: max(0, places)]
        standing = (trial for trial in held if trial.standing(self._ladder.rungs) == rung and not trial.climbing)
        return next(standing, None)


def is_coming_to(trial: TrialState, rung: Rung) -> bool:
    """Tell whether a trial is being trained to a rung of the first fold, and is not there yet."""
    first = trial.folds.get(0)
    return first is not None and first.climbing and len(first.epochs) < rung.epoch <= first.bound_for
