"""A decision: how a vote becomes probabilities that can be believed, and a class."""

from dataclasses import dataclass

import numpy as np

from voting.rules.vote import Votes

_LEAST = 1e-12


@dataclass(frozen=True)
class Decision:
    """A temperature for the probabilities, and a weight for every class by which the class is decided.

    A class weight is a threshold in another form: with two classes, a weight of 2 for the second is a threshold of 1/3.
    """

    temperature: float = 1.0
    class_weights: tuple[float, ...] = ()  # none: the most probable class

    def probabilities(self, votes: Votes) -> Votes:
        """Return a vote's probabilities at this temperature (Guo et al., ICML 2017): above 1 they are less sure."""
        if self.temperature == 1.0:
            return votes
        return at_temperature(votes, self.temperature)

    def decided(self, votes: Votes) -> Votes:
        """Return probabilities whose largest is the class decided for."""
        probabilities = self.probabilities(votes)
        if not self.class_weights:
            return probabilities
        weighted = probabilities * np.asarray(self.class_weights)
        decided: Votes = weighted / weighted.sum(axis=1, keepdims=True)
        return decided


def at_temperature(votes: Votes, temperature: float) -> Votes:
    """Return probabilities raised to one over the temperature."""
    logits = np.log(np.clip(votes, _LEAST, None)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Votes = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
