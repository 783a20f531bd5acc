"""A quasi-random sequence over a space: Optuna's, over the place of every parameter from 0 to 1, so that weights count."""

from typing import Any

from optuna.distributions import FloatDistribution
from optuna.samplers import BaseSampler
from optuna.trial import TrialState, create_trial

from schedulers.samplers.projection import in_memory_study
from search_spaces import SearchSpace


def nth_of_sequence(space: SearchSpace, sampler: BaseSampler, number: int) -> dict[str, Any]:
    """Return the whole configuration at a place of a sampler's sequence, by walking there."""
    places = {name: FloatDistribution(0.0, 1.0) for name in space.parameters}
    known = create_trial(state=TrialState.PRUNED, params=dict.fromkeys(places, 0.0), distributions=places)
    mirror = in_memory_study([known], sampler)
    for _ in range(number - 1):
        mirror.ask().relative_params  # noqa: B018  # drawn when looked at, and only then the sequence moves on
    trial, drawn = mirror.ask(), dict[str, Any]()
    for name, parameter in space.in_order():
        if (active := parameter.active_in(space.complete(drawn))) is not None:
            drawn[name] = active.at(trial.suggest_float(name, 0.0, 1.0))
    return space.complete(drawn)
