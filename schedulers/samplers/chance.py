"""Draws by chance, in which choices have the weights that a space gives them: Optuna's own samplers draw evenly."""

from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from search_spaces import Choice, SearchSpace


class ChanceSampler(RandomSampler):  # type: ignore[misc]
    """Optuna's random sampler, but for the choices of a space that have weights."""

    def __init__(self, space: SearchSpace, seed: int | None = None) -> None:
        super().__init__(seed)
        choices = {name: one for name, one in space.parameters.items() if isinstance(one, Choice)}
        self._weighted = {name: one for name, one in choices.items() if one.weights is not None}
        self._generator = np.random.default_rng(seed)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Return a value by its weight, or evenly where there are none."""
        if (choice := self._weighted.get(param_name)) is not None:
            return choice.at(self._generator.random())
        return super().sample_independent(study, trial, param_name, param_distribution)


class WeightedTPESampler(TPESampler):  # type: ignore[misc]
    """Optuna's TPE, whose start-up draws by weight: it has no argument for that."""

    def __init__(self, space: SearchSpace, seed: int | None = None, **options: Any) -> None:
        super().__init__(seed=seed, **options)
        self._random_sampler = ChanceSampler(space, seed)
