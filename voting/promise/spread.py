"""How sure a score is: the bootstrap over persons."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from studies.metrics import Measure, Probabilities, Targets
from voting.out_of_fold.eliminations import rows_of_persons
from voting.out_of_fold.objective import Rows

_RESAMPLES = 200


def person_bootstrap(
    measure: Measure, targets: Targets, votes: Probabilities, persons: npt.NDArray[np.str_], seed: int = 0
) -> float:
    """Return the standard deviation of a metric when persons, not images, are drawn again with replacement.

    Images of one person are right or wrong together, so drawing images would look too sure. Efron,
    "Bootstrap Methods: Another Look at the Jackknife", 1979, with the person as the unit.
    """
    return float(np.std([measure(targets[rows], votes[rows]) for rows in drawn_rows(persons, seed)]))


def drawn_rows(persons: npt.NDArray[np.str_], seed: int = 0) -> Iterator[Rows]:
    """Yield the rows of as many persons as there are, drawn with replacement, again and again."""
    generator = np.random.default_rng(seed)
    names, person_of = np.unique(persons, return_inverse=True)
    for _ in range(_RESAMPLES):
        yield rows_of_persons(person_of, generator.integers(len(names), size=len(names)))
