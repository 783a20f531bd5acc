"""By how much something uncertain is expected to exceed the best that is known."""

import numpy as np
import numpy.typing as npt
from scipy.stats import norm

Values = npt.NDArray[np.float64]


def expected_improvement(mean: Values, deviation: Values, best: float) -> Values:
    """Return by how much draws from normals are expected to exceed the best, each for itself (Mockus, 1975)."""
    above = (mean - best) / deviation
    return np.asarray(deviation * (above * norm.cdf(above) + norm.pdf(above)))
