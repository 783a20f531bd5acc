"""How sure a score is: the bootstrap over persons."""

import numpy as np
import numpy.typing as npt

from studies.metrics import Measure, Probabilities, Targets

_RESAMPLES = 200


def person_bootstrap(
    measure: Measure, targets: Targets, votes: Probabilities, persons: npt.NDArray[np.str_], seed: int = 0
) -> float:
    """Return the standard deviation of a metric when persons, not images, are drawn again with replacement.

    Images of one person are right or wrong together, so drawing images would look too sure. Efron,
    "Bootstrap Methods: Another Look at the Jackknife", 1979, with the person as the unit.
    """
    generator = np.random.default_rng(seed)
    names, person_of = np.unique(persons, return_inverse=True)
    rows_of = [np.flatnonzero(person_of == number) for number in range(len(names))]
    scores = []
    for _ in range(_RESAMPLES):
        rows = np.concatenate([rows_of[number] for number in generator.integers(len(names), size=len(names))])
        scores.append(measure(targets[rows], votes[rows]))
    return float(np.std(scores))
