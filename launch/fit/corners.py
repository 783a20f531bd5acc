"""What a preflight tries: every backbone and every optimizer that a space may draw, at both ends of their knobs."""

import json
from collections.abc import Iterator
from typing import Any

from launch.fit.data import values_of
from search_spaces import Choice, Parameter, SearchSpace

_OF_MODELS = ("weights", "drop_path_rate", "global_pool", "head_hidden", "frozen_share")
_OPTIONS = "optimizer_options."


def corners(space: SearchSpace) -> list[dict[str, Any]]:
    """Return whole configurations, the recipe first, none twice."""
    options = [name for name in space.parameters if name.startswith(_OPTIONS)]
    found = [
        space.recipe(),
        *_with_every(space, "backbone", _OF_MODELS),
        *_with_every(space, "optimizer", tuple(options)),
    ]
    return list({json.dumps(one, sort_keys=True): one for one in found}.values())


def _with_every(space: SearchSpace, chooser: str, knobs: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for chosen in values_of(space, chooser):
        yield space.complete({chooser: chosen})
        for knob in knobs:
            if (parameter := space.parameters.get(knob)) is not None:
                for value in _ends(parameter):
                    tried = space.complete({**_fulfilled(parameter), chooser: chosen, knob: value})
                    if parameter.is_active(tried):
                        yield tried


def _fulfilled(parameter: Parameter) -> dict[str, Any]:
    """Return values of other knobs under which a parameter is drawn."""
    return {other: wanted[0] for other, wanted in (parameter.when or {}).items() if isinstance(wanted, list)}


def _ends(parameter: Parameter) -> list[Any]:
    return list(parameter.choice) if isinstance(parameter, Choice) else [parameter.low, parameter.high]
