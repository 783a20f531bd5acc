"""Configurations as vectors, in which distance means unlikeness."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from search_spaces import Choice, Parameter, Range, SearchSpace

Vectors = npt.NDArray[np.float64]
_APART = 0.5  # two values of a choice lie half a range apart


def encoded(space: SearchSpace, configurations: Sequence[Mapping[str, Any]]) -> Vectors:
    """Return configurations x columns: a number's place in its range, a column for each value of a choice.

    What has no part in a configuration lies in the middle of its range, or at none of its values.
    """
    rows = [_row(space, space.complete(one)) for one in configurations]
    return np.array(rows, dtype=np.float64).reshape(len(rows), -1)


def groups_of(space: SearchSpace) -> npt.NDArray[np.int64]:
    """Return for every column the number of its parameter: the columns of a choice share their length scale."""
    widths = [len(one.choice) if isinstance(one, Choice) else 1 for one in space.parameters.values()]
    return np.repeat(np.arange(len(widths)), widths)


def _row(space: SearchSpace, configuration: Mapping[str, Any]) -> list[float]:
    active = space.drawn_from(configuration)
    return [
        column
        for name, parameter in space.parameters.items()
        for column in _columns(parameter, active.get(name), configuration.get(name))
    ]


def _columns(parameter: Parameter, active: Range | Choice | None, value: Any) -> list[float]:
    if isinstance(parameter, Choice):
        there = active is not None
        return [_APART / 2**0.5 * (there and type(one) is type(value) and one == value) for one in parameter.choice]
    return [active.position(value) if isinstance(active, Range) else 0.5]
