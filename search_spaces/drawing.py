"""Configurations of a space by chance: anywhere, or near one that is known."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from search_spaces.parameters import Choice, Parameter, Range
from search_spaces.space import SearchSpace


def drawn(space: SearchSpace, generator: np.random.Generator) -> dict[str, Any]:
    """Return the parameters of a configuration drawn evenly from the whole space, conditions honoured."""
    values: dict[str, Any] = {}
    for name, parameter in space.in_order():
        if parameter.is_active(space.complete(values)):
            values[name] = value_at(parameter, generator.random())
    return values


def neighbour(
    space: SearchSpace, configuration: Mapping[str, Any], generator: np.random.Generator, step: float
) -> dict[str, Any]:
    """Return the parameters of a configuration near another.

    Every number moves by a normal of `step`, counted in ranges, every choice is drawn anew with a probability of `step`.
    """
    values: dict[str, Any] = {}
    for name, parameter in space.in_order():
        if not parameter.is_active(space.complete(values)):
            continue
        place, moved = generator.random(), generator.normal(0.0, step)
        if name not in configuration or not parameter.contains(configuration[name]):
            values[name] = value_at(parameter, place)
        elif isinstance(parameter, Range):
            values[name] = value_at(parameter, float(np.clip(parameter.position(configuration[name]) + moved, 0, 1)))
        else:
            values[name] = value_at(parameter, place / step) if place < step else configuration[name]
    return values


def value_at(parameter: Parameter, place: float) -> Any:
    """Return the value at a place from 0 to 1 of a range's own scale, or of the list of a choice; points share it evenly."""
    if isinstance(parameter, Choice):
        return parameter.choice[min(len(parameter.choice) - 1, int(place * len(parameter.choice)))]
    margin = 0.0
    if parameter.step is not None:
        return parameter.nearest(
            parameter.low + min(parameter.steps, int(place * (parameter.steps + 1))) * parameter.step
        )
    if parameter.integer:
        margin = 0.5  # so that the ends are drawn as often as the others
    low, high = parameter.low - margin, parameter.high + margin
    return parameter.nearest(low * (high / low) ** place if parameter.log else low + place * (high - low))
