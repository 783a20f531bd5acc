"""The arguments of an optimizer of its own: one mapping in a configuration, one name each in a space. Needs no torch.

In a space, `optimizer_options.eps` is one argument, and `optimizer_options.betas.1` the second number of one that has several.
"""

from collections.abc import Mapping
from typing import Any

PREFIX = "optimizer_options."
_KNOBS = {"lr": "learning_rate", "weight_decay": "weight_decay", "momentum": "momentum"}
_OURS = ("params", "fused", "foreach")


def gathered(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration whose dotted names have become one mapping."""
    dotted = {name.removeprefix(PREFIX): value for name, value in values.items() if name.startswith(PREFIX)}
    rest = {name: value for name, value in values.items() if not name.startswith(PREFIX)}
    return {**rest, "optimizer_options": {**rest.get("optimizer_options", {}), **dotted}}


def checked_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return options with numbers for what YAML takes for text (1e-6); refuse what a knob or the trainer sets."""
    for name in options:
        if name in _KNOBS:
            raise ValueError(f"{name} is no option: it is the knob {_KNOBS[name]}")
        if name in _OURS:
            raise ValueError(f"{name} is set by the trainer; leave it out")
    return {name: _number(value) for name, value in options.items()}


def _number(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_number(one) for one in value]
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value
