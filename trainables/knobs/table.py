"""The table of all knobs, for docs/knobs.md and `python -m trainables.config`."""

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic.fields import FieldInfo

from datasets.augmentations import AUGMENTATIONS
from trainables.config import train_config
from trainables.knobs.knob import about, spelled
from trainables.training.heads.registry import HEADS
from trainables.training.losses import LOSSES

_REGISTERED: Mapping[str, Iterable[str]] = {"head": HEADS, "loss": LOSSES, "augmentation": AUGMENTATIONS}
_SIGNS = {"Ge": "from", "Gt": "above", "Le": "to", "Lt": "below"}


def knob_table() -> str:
    """Return all knobs as a Markdown table."""
    head = "| knob | range | default | unit | does something with | meaning | source |"
    return "\n".join(
        [head, "|---" * 7 + "|", *(_row(name, field) for name, field in train_config().model_fields.items())]
    )


def _row(name: str, field: FieldInfo) -> str:
    known = about(field)
    cells = [
        f"`{name}`",
        _range(name, field),
        str(field.default),
        known.get("unit", ""),
        spelled(known.get("when", {})),
        field.description or "",
        known.get("source", ""),
    ]
    return f"| {' | '.join(cells)} |"


def _range(name: str, field: FieldInfo) -> str:
    """Return the bounds of a number, or the values of a choice."""
    choices = [str(value) for value in get_args(field.annotation) if isinstance(value, str)]
    choices = choices or [*_REGISTERED.get(name, ())] or (["False", "True"] if field.annotation is bool else [])
    if choices:
        return ", ".join(choices)
    bounds: list[Any] = [(type(bound).__name__, bound) for bound in field.metadata if type(bound).__name__ in _SIGNS]
    return " ".join(f"{_SIGNS[kind]} {getattr(bound, kind.lower())}" for kind, bound in bounds)
