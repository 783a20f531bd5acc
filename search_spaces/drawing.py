"""Configurations of a space by chance: anywhere, or near one that is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from search_spaces.parameters import Range
from search_spaces.space import SearchSpace


def drawn(space: SearchSpace, generator: np.random.Generator) -> dict[str, Any]:
    """Return the parameters of a configuration drawn by chance from the whole space, conditions and weights honoured."""
    values: dict[str, Any] = {}
    for name, parameter in space.in_order():
        if (active := parameter.active_in(space.complete(values))) is not None:
            values[name] = active.at(generator.random())
    return values


def neighbour(
    space: SearchSpace, configuration: Mapping[str, Any], generator: np.random.Generator, step: float
) -> dict[str, Any]:
    """Return the parameters of a configuration near another.

    Every number moves by a normal of `step`, counted in ranges, every choice is drawn anew with a probability of `step`.
    """
    values: dict[str, Any] = {}
    for name, parameter in space.in_order():
        if (active := parameter.active_in(space.complete(values))) is None:
            continue
        place, moved = generator.random(), generator.normal(0.0, step)
        if name not in configuration or not active.contains(configuration[name]):
            values[name] = active.at(place)
        elif isinstance(active, Range):
            values[name] = active.at(float(np.clip(active.position(configuration[name]) + moved, 0, 1)))
        else:
            values[name] = active.at(place / step) if place < step else configuration[name]
    return values
