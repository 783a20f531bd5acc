"""A knob: a pydantic field that also says its unit, its source, and when it does anything."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from pydantic import Field
from pydantic.fields import FieldInfo

ABOVE_ZERO = "above 0"
BELOW_ONE = "below 1"
OR = " or "
_SHOWN = 4
# By other knob, or several joined by OR: values, or one of the words above.
When: TypeAlias = Mapping[str, str | tuple[str, ...]]


def knob(default: Any, meaning: str, *, when: When | None = None, unit: str = "", source: str = "", **more: Any) -> Any:
    """Return the field of a knob.

    `more` are pydantic's bounds, `fixed_because` for what is one per study, and `baseline` where the knob was brought in with
    another default than the value that trials had before (see `trainables.config.baselines`).
    """
    extra: dict[str, Any] = {"unit": unit, "source": source, "when": dict(when or {})}
    extra |= {name: more.pop(name) for name in ("fixed_because", "baseline") if name in more}
    return Field(default, description=meaning, json_schema_extra=extra, **more)


def about(field: FieldInfo) -> dict[str, Any]:
    """Return what `knob` was given beside pydantic's own."""
    return field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}


def holds(wanted: str | tuple[str, ...], value: Any) -> bool:
    """Tell whether a value of another knob lets one do something."""
    if wanted in (ABOVE_ZERO, BELOW_ONE):
        return bool(value > 0 if wanted == ABOVE_ZERO else value < 1)
    return value in wanted


def spelled(when: When) -> str:
    """Return a condition in words."""
    return ", ".join(
        f"{name} {wanted if isinstance(wanted, str) else _listed(wanted)}" for name, wanted in when.items()
    )


def _listed(values: tuple[str, ...]) -> str:
    """Return values joined by 'or'; of many the first ones."""
    return OR.join(values) if len(values) <= _SHOWN else f"{', '.join(values[:_SHOWN])} and their kin"
