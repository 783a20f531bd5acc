"""What having chosen is worth on the persons who chose: the whole choice, made again on persons drawn anew.

Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou, Borboudakis, Machine Learning 107, 2018): out-of-fold
predictions are drawn by person with replacement, the choice is made on those drawn and judged on the others, without any
training. Eliminations before the finals are judged again as far as looks were kept. What a resample chose is compared with the
packed ensemble on the same others, as a metric of few persons is another one than that of many (for the bootstrap under the
winner's curse see also BBC-F, Paraschakis et al., AutoML 2024, arXiv 2406.08099).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from voting.ensemble.fit import Ensemble, Wanted
from voting.ensemble.tasks import Tasks
from voting.out_of_fold.objective import Rows

RESAMPLES = 200
_SHARE_DRAWN = 0.632  # of persons, when as many are drawn as there are
Draws = npt.NDArray[np.float64]  # resamples


@dataclass(frozen=True, eq=False)
class Resampled:
    """What every resample says; scores, of which more is better."""

    drawn: Draws  # the packed ensemble's score on the persons drawn
    ahead: (
        Draws  # how much more the packed ensemble scores on the others, whom it saw, than what was chosen without them
    )

    @property
    def spread(self) -> float:
        """Return the standard deviation of the packed ensemble's score, persons drawn anew."""
        return float(np.std(self.drawn))

    @property
    def optimism(self) -> float:
        """Return what the packed ensemble's score gained by being chosen on these persons.

        A resample has 63 % of the persons, so it chooses worse than all of them do: Efron's .632 rule ("Estimating the Error Rate
        of a Prediction Rule", 1983) takes that share of the difference.
        """
        return _SHARE_DRAWN * float(self.ahead.mean())


def resampled(
    tasks: Tasks, packed: Mapping[str, Ensemble], wanted: Wanted, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Resampled]:
    """Return for every task, and the joint classes, what resamples say of the packed ensembles and of the choice."""
    generator = np.random.default_rng(seed)
    rows = [_resample(tasks, packed, wanted, *_split(tasks, generator)) for _ in range(resamples)]
    return {name: Resampled(*(np.array([row[name][column] for row in rows]) for column in (0, 1))) for name in rows[0]}


def _split(tasks: Tasks, generator: np.random.Generator) -> tuple[Rows, Rows]:
    """Return persons drawn with replacement, and those who were not drawn; every task has some of both.

    Tasks that are compared on other folds have other persons, perhaps few.
    """
    of_tasks = [persons for pool in tasks.pools.values() if len(persons := np.unique(pool.persons)) > 1]
    while True:
        drawn = generator.integers(tasks.persons, size=tasks.persons)
        others = np.setdiff1d(tasks.everyone(), drawn)
        if len(others) and all(len(np.intersect1d(part, own)) for own in of_tasks for part in (drawn, others)):
            return drawn, others


def _resample(
    tasks: Tasks, packed: Mapping[str, Ensemble], wanted: Wanted, drawn: Rows, others: Rows
) -> dict[str, tuple[float, float]]:
    chosen = tasks.scores(tasks.fit(drawn, wanted), others)
    inside, outside = tasks.scores(packed, drawn), tasks.scores(packed, others)
    return {name: (inside[name], outside[name] - chosen[name]) for name in chosen}
