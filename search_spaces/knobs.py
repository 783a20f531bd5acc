"""The knobs that a space may name: what each may be, and its default."""

from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from plugins.names import name_hint
from search_spaces.errors import SpaceError, explain

# Names that people try to search although they change what is measured, not the model.
_MEASURE = ("folds", "metric", "data", "target", "task", "holdout", "split", "seed", "labels")


def default_values(knobs: type[BaseModel]) -> dict[str, Any]:
    """Return every knob at its default."""
    return {name: knob.get_default(call_default_factory=True) for name, knob in knobs.model_fields.items()}


def knob_of(name: str, knobs: type[BaseModel], file: str, section: str) -> FieldInfo:
    """Return the field of a knob that a section of a space names.

    Raises:
        SpaceError: there is none, or it cannot be searched; names the way out.
    """
    key = f"{section}.{name}"
    if not isinstance(name, str):
        raise SpaceError(file, key, "is no text, and no hyperparameter is called so")
    extra = knobs.model_fields[name].json_schema_extra if name in knobs.model_fields else None
    fixed = extra.get("fixed_because") if isinstance(extra, dict) else None
    if section == "parameters" and (fixed or name in _MEASURE):
        reason = fixed or "it would change the measure instead of the model"
        raise SpaceError(file, key, f"cannot be searched: {reason}; fix it under constants, data or search")
    parent, _, option = name.partition(".")
    if option and parent in knobs.model_fields and knobs.model_fields[parent].annotation == dict[str, Any]:
        return FieldInfo(annotation=float | int | bool | str)  # what it may be, its owner knows
    if name in getattr(knobs, "renamed_knobs", {}):
        raise SpaceError(file, key, getattr(knobs, "renamed_knobs")[name])  # noqa: B009
    if name not in knobs.model_fields:
        raise SpaceError(file, key, f"unknown hyperparameter; {name_hint(name, knobs.model_fields)}")
    return knobs.model_fields[name]


def checked_value(value: Any, knob: FieldInfo, file: str, key: str) -> Any:
    """Return a value as the type of a knob.

    Raises:
        SpaceError: it is none.
    """
    kind: Any = Annotated[knob.annotation, *knob.metadata] if knob.metadata else knob.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    try:
        checked = adapter.validate_python(value)
    except ValidationError as error:
        _, wrong = explain(error)
        raise SpaceError(file, key, wrong) from None
    if isinstance(value, bool) and not isinstance(checked, bool):  # pydantic takes true for 1
        raise SpaceError(file, key, f"must be a number (got {str(value).lower()}); write one")
    return checked
