"""Cross-fitting over persons: what is fitted on the persons of the other folds votes on those of one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from voting.out_of_fold.objective import Rows
from voting.out_of_fold.pool import Pool
from voting.rules.vote import Votes, Weights


def fold_parts(folds: Rows) -> list[tuple[Rows, Rows]]:
    """Return for every fold the rows outside it and those in it; for a single fold all rows twice."""
    names = np.unique(folds)
    everyone = np.arange(len(folds))
    if len(names) < 2:
        return [(everyone, everyone)]
    return [(np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)) for fold in names]


@dataclass(frozen=True, eq=False)
class CrossFitting:
    """A pool with what is left of it outside every fold, taken apart once for all methods."""

    pool: Pool
    parts: tuple[tuple[Pool, Rows], ...]  # the others, and the rows of the fold

    @classmethod
    def of(cls, pool: Pool) -> "CrossFitting":
        """Take a pool apart by its folds."""
        return cls(pool, tuple((pool.take(others), own) for others, own in fold_parts(pool.folds)))

    def votes(self, fit: Callable[[Pool], Weights]) -> Votes:
        """Return votes on all images, those of each fold by weights that were fitted on the others."""
        votes: Votes = np.empty(self.pool.said.shape[1:])
        for others, own in self.parts:
            votes[own] = self.pool.take(own).vote(fit(others))
        return votes
