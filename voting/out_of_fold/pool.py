"""What the candidates of a task said about the same images, none of whose persons they had seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from studies.metrics import Targets
from voting.out_of_fold.objective import Objective, Rows
from voting.rules.vote import Rule, Votes, Weights

Said = npt.NDArray[np.float32]  # candidates x images x classes


@dataclass(frozen=True, eq=False)
class Pool:
    """Candidates, in the order in which ties are given to the earlier, and what their votes are scored by."""

    said: Said
    targets: Targets
    persons: Rows  # numbered
    folds: Rows
    objective: Objective
    rule: Rule

    @property
    def size(self) -> int:
        return len(self.said)

    @cached_property
    def alone(self) -> Said:
        """Return what the rule makes of every candidate alone; the vote of one that weighs is a mean of these."""
        if not self.rule.weighs:
            return self.said
        return np.stack([self.rule([one]).astype(np.float32) for one in self.said])

    @cached_property
    def scores(self) -> npt.NDArray[np.float64]:
        """Return what every candidate scores alone."""
        return np.array([self.objective.score(one) for one in self.alone])

    @cached_property
    def ranked(self) -> npt.NDArray[np.int64]:
        """Return the candidates' positions, best first, ties to the earlier."""
        return np.argsort(-self.scores, kind="stable")

    def vote(self, weights: Weights) -> Votes:
        """Return what candidates vote together; those of weight zero have no part."""
        voting = np.flatnonzero(weights)
        if self.rule.weighs:
            votes: Votes = np.tensordot(weights[voting] / weights.sum(), self.alone[voting], axes=1)
            return votes
        return self.rule(list(self.said[voting]))

    def score(self, weights: Weights) -> float:
        """Return what a vote scores; more is better."""
        return self.objective.score(self.vote(weights))

    def take(self, rows: Rows) -> "Pool":
        """Return the same candidates on some of the images, which may be repeated."""
        taken = replace(
            self,
            said=self.said[:, rows],
            targets=self.targets[rows],
            persons=self.persons[rows],
            folds=self.folds[rows],
            objective=self.objective.take(rows),
        )
        if self.rule.weighs:
            taken.__dict__["alone"] = self.alone[:, rows]
        return taken

    def of_persons(self, persons: Rows) -> "Pool":
        """Return the same with other persons, one a row."""
        other = replace(self, persons=persons)
        other.__dict__.update({name: self.__dict__[name] for name in ("alone",) if name in self.__dict__})
        return other

    def only(self, candidates: Sequence[int] | Rows) -> "Pool":
        """Return some of the candidates on all images."""
        kept = replace(self, said=self.said[candidates])
        if self.rule.weighs:
            kept.__dict__["alone"] = self.alone[candidates]
        return kept

    def towards(self, objective: Objective) -> "Pool":
        """Return the same candidates chosen for something else."""
        other = replace(self, objective=objective)
        other.__dict__["alone"] = self.alone
        return other


def distinct(pool: Pool) -> Rows:
    """Return the candidates' positions, best first, without those that say to the digit what a better or an earlier one says."""
    kept: list[int] = []
    for one in pool.ranked:
        same = (other for other in reversed(kept) if pool.scores[other] == pool.scores[one])
        if not any(np.array_equal(pool.said[one], pool.said[other]) for other in same):
            kept.append(int(one))
    return np.array(kept)


def equal_weights(candidates: int, voters: Sequence[int] | Rows) -> Weights:
    """Return weights by which some of the candidates vote alike."""
    weights: Weights = np.zeros(candidates)
    weights[voters] = 1 / len(voters)
    return weights
