"""All randomness of training, derived and never stored: (seed, trial, fold, epoch, batch) name a stream."""

import numpy as np


def derived_generator(*parts: int) -> np.random.Generator:
    """Return the generator of one named stream."""
    return np.random.default_rng(np.random.SeedSequence(parts))


def derived_seed(*parts: int) -> int:
    """Return the 31-bit seed of one named stream, for libraries that want an integer."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0] & 0x7FFF_FFFF)
