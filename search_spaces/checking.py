"""Check parameters and constants against the knobs that a trial has."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from plugins.names import name_hint
from search_spaces.errors import SpaceError, explain
from search_spaces.parameters import Choice, Parameter, Range, parameter_kind

# Names that people try to search although they change what is measured, not the model.
_MEASURE = ("folds", "metric", "data", "target", "task", "holdout", "split", "seed", "labels")


def check_constants(raw: Mapping[str, Any], knobs: type[BaseModel], file: str) -> dict[str, Any]:
    """Return the constants, each as its knob's type."""
    return {name: _checked(raw[name], _knob(name, knobs, file, "constants"), file, f"constants.{name}") for name in raw}


def check_parameters(
    raw: Mapping[str, Any], constants: Mapping[str, Any], knobs: type[BaseModel], file: str
) -> tuple[dict[str, Parameter], dict[str, Any]]:
    """Return the parameters, and the recipe as far as they state it themselves."""
    parameters = {name: _parameter(name, raw[name], constants, knobs, file) for name in raw}
    parameters = {name: _with_condition(name, parameters, constants, knobs, file) for name in parameters}
    for name in parameters:
        _check_acyclic(name, parameters, (), file)
    stated = {name: parameter.default for name, parameter in parameters.items() if parameter.default is not None}
    return parameters, stated


def check_conditions(
    parameters: Mapping[str, Parameter], constants: Mapping[str, Any], knobs: type[BaseModel], file: str
) -> None:
    """Refuse what is stated and can do nothing, because a knob that it depends on never has the value for it.

    A knobs model says so with a class method `idle_because(name, reachable)`; `reachable` are the values of every knob.
    """
    idle_because = getattr(knobs, "idle_because", None)
    if idle_because is None:
        return
    defaults = default_values(knobs)
    reachable = {name: [constants.get(name, default)] for name, default in defaults.items()}
    reachable |= {
        name: list(one.choice) if isinstance(one, Choice) else [one.low, one.high] for name, one in parameters.items()
    }
    stated = [*(name for name, value in constants.items() if value != defaults.get(name)), *parameters]
    idle: dict[str, str] = {}
    while found := {name: why for name in stated if name not in idle and (why := idle_because(name, reachable))}:
        idle |= found
        reachable |= {name: [defaults.get(name)] for name in found}  # what depends on these does nothing, either
    if idle:
        first = next(iter(idle))
        section = "constants" if first in constants else "parameters"
        out = " ".join(f"--set {name}={defaults.get(name)}" for name in idle)
        raise SpaceError(file, f"{section}.{first}", f"does nothing here: {idle[first]}; {out} takes it out")


def default_values(knobs: type[BaseModel]) -> dict[str, Any]:
    """Return every knob at its default."""
    return {name: knob.get_default(call_default_factory=True) for name, knob in knobs.model_fields.items()}


def _parameter(name: str, raw: Any, constants: Mapping[str, Any], knobs: type[BaseModel], file: str) -> Parameter:
    key = f"parameters.{name}"
    knob = _knob(name, knobs, file, "parameters")
    if name in constants:
        raise SpaceError(file, key, "is also a constant; take it out of one of the two")
    try:
        kind = parameter_kind(raw)
    except ValueError as error:
        raise SpaceError(file, key, str(error)) from None
    try:
        parameter = kind.model_validate(raw)
    except ValidationError as error:
        inner, wrong = explain(error, {"": [field for field in kind.model_fields if field != "integer"]})
        raise SpaceError(file, f"{key}.{inner}".rstrip("."), wrong) from None
    return _typed(parameter, knob, file, key)


def _typed(parameter: Parameter, knob: FieldInfo, file: str, key: str) -> Parameter:
    """Return the parameter with its values as the knob's type."""
    if isinstance(parameter, Choice):
        values = tuple(_checked(value, knob, file, f"{key}.choice") for value in parameter.choice)
        typed: Parameter = parameter.model_copy(update={"choice": values})
    else:
        typed = _typed_range(parameter, knob, file, key)
    if parameter.default is None:
        return typed
    default = _checked(parameter.default, knob, file, f"{key}.default")
    if not typed.contains(default):
        raise SpaceError(file, f"{key}.default", f"{default!r} lies outside the parameter; move it inside")
    return typed.model_copy(update={"default": default})


def _typed_range(parameter: Range, knob: FieldInfo, file: str, key: str) -> Range:
    if knob.annotation == float | int | bool | str:
        return parameter
    if knob.annotation not in (int, float):
        raise SpaceError(file, key, "is no number, so it needs {choice: [...]}")
    if knob.annotation is int and parameter.step is not None and parameter.step != int(parameter.step):
        raise SpaceError(
            file, f"{key}.step", f"must be a whole number, as the hyperparameter is (got {parameter.step:g})"
        )
    ends = {end: _checked(getattr(parameter, end), knob, file, f"{key}.{end}") for end in ("low", "high")}
    return parameter.model_copy(update={**ends, "integer": knob.annotation is int})


def _knob(name: str, knobs: type[BaseModel], file: str, section: str) -> FieldInfo:
    key = f"{section}.{name}"
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


def _checked(value: Any, knob: FieldInfo, file: str, key: str) -> Any:
    kind: Any = Annotated[knob.annotation, *knob.metadata] if knob.metadata else knob.annotation
    adapter: TypeAdapter[Any] = TypeAdapter(kind)
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        _, wrong = explain(error)
        raise SpaceError(file, key, wrong) from None


def _with_condition(
    name: str, parameters: Mapping[str, Parameter], constants: Mapping[str, Any], knobs: type[BaseModel], file: str
) -> Parameter:
    """Return a parameter whose condition is checked, its values as the types of the knobs it depends on."""
    typed: dict[str, Any] = {}
    for other, wanted in (parameters[name].when or {}).items():
        key = f"parameters.{name}.when.{other}"
        if other not in parameters and other not in constants:
            hint = name_hint(other, [*parameters, *constants])
            raise SpaceError(file, key, f"depends on what is neither a parameter nor a constant; {hint}")
        values = wanted if isinstance(wanted, list) else [wanted]
        typed[other] = [_checked(value, _knob(other, knobs, file, "constants"), file, key) for value in values]
        for value in typed[other]:
            _check_reachable(value, parameters.get(other), file, key)
    return parameters[name].model_copy(update={"when": typed}) if typed else parameters[name]


def _check_reachable(value: Any, parameter: Parameter | None, file: str, key: str) -> None:
    """Refuse a condition on a value that can never be drawn: a typing mistake that would switch a parameter off."""
    if isinstance(parameter, Choice) and not parameter.contains(value):
        raise SpaceError(file, key, f"{value!r} is never chosen; {name_hint(value, parameter.choice)}")
    if isinstance(parameter, Range):
        raise SpaceError(file, key, "depends on a range; a condition needs a choice")


def _check_acyclic(name: str, parameters: Mapping[str, Parameter], above: tuple[str, ...], file: str) -> None:
    if name in above:
        raise SpaceError(
            file, f"parameters.{name}.when", f"is circular: {' -> '.join((*above, name))}; drop one condition"
        )
    for other in parameters[name].when or {} if name in parameters else {}:
        _check_acyclic(other, parameters, (*above, name), file)
