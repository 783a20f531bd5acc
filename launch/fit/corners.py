"""What a preflight tries: every backbone and every optimizer that a space may draw, at both ends of their knobs."""

import json
from collections.abc import Iterator
from typing import Any

from launch.fit.data import values_of
from search_spaces import Choice, ConditionalRanges, Range, SearchSpace

_OF_MODELS = (
    *("weights", "drop_path_rate", "global_pool", "head", "head_hidden", "loss", "frozen_share", "layer_decay"),
    *("batch_size", "precision"),
)
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
            for one in drawn_from(space, knob):
                for value in one.extremes:
                    tried = space.complete({**_fulfilled(one), chooser: chosen, knob: value})
                    if one.is_active(tried):
                        yield tried


def drawn_from(space: SearchSpace, knob: str) -> tuple[Range | Choice, ...]:
    """Return what a knob may be drawn from; nothing for one that is not searched."""
    parameter = space.parameters.get(knob)
    if parameter is None:
        return ()
    return parameter.ranges if isinstance(parameter, ConditionalRanges) else (parameter,)


def _fulfilled(one: Range | Choice) -> dict[str, Any]:
    """Return values of other knobs under which something is drawn."""
    return {other: wanted[0] for other, wanted in (one.when or {}).items() if isinstance(wanted, list)}
