"""A configuration as a sampler sees it: one dimension a parameter, which always has a value, whatever the conditions.

Optuna's Gaussian process and TPE draw together only what every trial has, in equal distributions, and the rest by chance. So of
several ranges they see the position in the active one, and where a parameter has no part in a configuration its usual value.
Samplers that see conditions themselves (a grid, `transfer_gp`) are shown the active parameters alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial

from search_spaces import Choice, ConditionalRanges, Parameter, Range, SearchSpace

_MIDDLE = 0.5


class Coordinate(NamedTuple):
    """Where a configuration lies along one dimension."""

    distribution: BaseDistribution
    value: Any


Coordinates: TypeAlias = Callable[[SearchSpace, Mapping[str, Any]], dict[str, Coordinate]]


def all_coordinates(space: SearchSpace, configuration: Mapping[str, Any]) -> dict[str, Coordinate]:
    """Return where a configuration of a space lies along every dimension."""
    active = space.drawn_from(configuration)
    return {
        name: _coordinate(space, name, parameter, active.get(name), configuration.get(name))
        for name, parameter in space.parameters.items()
    }


def active_coordinates(space: SearchSpace, configuration: Mapping[str, Any]) -> dict[str, Coordinate]:
    """Return where a configuration of a space lies in what it was drawn from."""
    drawn_from = space.drawn_from(configuration)
    return {name: Coordinate(distribution(one), configuration[name]) for name, one in drawn_from.items()}


def _coordinate(
    space: SearchSpace, name: str, parameter: Parameter, active: Range | Choice | None, value: Any
) -> Coordinate:
    if isinstance(parameter, ConditionalRanges):
        place = active.position(value) if isinstance(active, Range) else _MIDDLE
        return Coordinate(FloatDistribution(0.0, 1.0), float(np.clip(place, 0.0, 1.0)))
    usual = space.defaults.get(name)
    inactive = usual if parameter.contains(usual) else parameter.usual
    return Coordinate(distribution(parameter), value if active is not None else inactive)


def draw_all(space: SearchSpace, trial: Trial) -> dict[str, Any]:
    """Return the whole configuration that an Optuna trial suggests along every dimension."""
    drawn: dict[str, Any] = {}
    for name, parameter in space.in_order():
        active = parameter.active_in(space.complete(drawn))
        if isinstance(parameter, ConditionalRanges) and active is not None:
            drawn[name] = active.at(trial.suggest_float(name, 0.0, 1.0))
        elif active is not None:
            drawn[name] = suggest(trial, name, active)
    return space.complete(drawn)


def draw_active(space: SearchSpace, trial: Trial) -> dict[str, Any]:
    """Return the whole configuration that an Optuna trial suggests, each value from the range or choice that is active."""
    drawn: dict[str, Any] = {}
    for name, parameter in space.in_order():
        if (active := parameter.active_in(space.complete(drawn))) is not None:
            drawn[name] = suggest(trial, name, active)
    return space.complete(drawn)


def suggest(trial: Trial, name: str, active: Range | Choice) -> Any:
    """Return the value that an Optuna trial suggests from a range or a choice."""
    if isinstance(active, Choice):
        return trial.suggest_categorical(name, active.choice)
    if active.integer:
        step = int(active.step or 1)
        return trial.suggest_int(name, int(active.low), int(active.high), log=active.log, step=step)
    return trial.suggest_float(name, active.low, active.high, log=active.log, step=active.step)


def distribution(active: Range | Choice) -> BaseDistribution:
    """Return a range or a choice in Optuna's terms."""
    if isinstance(active, Choice):
        return CategoricalDistribution(active.choice)
    if active.integer:
        step = int(active.step or 1)
        return IntDistribution(int(active.low), int(active.high), log=active.log, step=step)
    return FloatDistribution(active.low, active.high, log=active.log, step=active.step)
