"""Check parameters and constants against the knobs that a trial has."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from search_spaces.conditional_ranges import ConditionalRanges, Parameter, parameter_kind
from search_spaces.conditions import Conditions
from search_spaces.errors import SpaceError, explain
from search_spaces.knobs import checked_value, default_values, knob_of
from search_spaces.parameters import Choice, Range

_NOT_WRITTEN = ("integer", "weights")  # of what a parameter is drawn from: filled in here
Drawn = TypeVar("Drawn", Range, Choice)


def check_constants(raw: Mapping[str, Any], knobs: type[BaseModel], file: str) -> dict[str, Any]:
    """Return the constants, each as its knob's type."""
    return {
        name: checked_value(raw[name], knob_of(name, knobs, file, "constants"), file, f"constants.{name}")
        for name in raw
    }


def check_parameters(
    raw: Mapping[str, Any],
    constants: Mapping[str, Any],
    knobs: type[BaseModel],
    file: str,
    listed: Mapping[str, Sequence[Any]] | None = None,
) -> tuple[dict[str, Parameter], dict[str, Any]]:
    """Return the parameters, and the recipe as far as they state it themselves.

    `listed` are values that the file lists for a knob: a condition may name them although `--set` or a profile took them out.
    """
    parameters = {name: _parameter(name, raw[name], constants, knobs, file) for name in raw}
    conditions = Conditions(parameters, constants, knobs, listed or {}, file)
    parameters = conditions.without_unreachable({name: conditions.checked(name) for name in parameters})
    return parameters, _stated(parameters, constants, knobs)


def _stated(
    parameters: Mapping[str, Parameter], constants: Mapping[str, Any], knobs: type[BaseModel]
) -> dict[str, Any]:
    """Return the stated defaults. Of several ranges the default is taken from the range that is active in the recipe."""
    plain = {name: one for name, one in parameters.items() if not isinstance(one, ConditionalRanges)}
    stated = {name: one.default for name, one in plain.items() if one.default is not None}
    recipe = {**default_values(knobs), **constants, **stated}
    active = {name: one.active_in(recipe) for name, one in parameters.items() if name not in plain}
    return stated | {name: one.default for name, one in active.items() if one is not None and one.default is not None}


def check_conditions(
    parameters: Mapping[str, Parameter], constants: Mapping[str, Any], knobs: type[BaseModel], file: str
) -> None:
    """Refuse what is stated and can do nothing, because a knob that it depends on never has the value for it."""
    if idle := _idle(parameters, constants, knobs):
        first, defaults = next(iter(idle)), default_values(knobs)
        section = "constants" if first in constants else "parameters"
        out = " ".join(f"--set {name}={defaults.get(name)}" for name in idle)
        raise SpaceError(file, f"{section}.{first}", f"does nothing here: {idle[first]}; {out} takes it out")


def without_idle(
    parameters: Mapping[str, Parameter],
    constants: Mapping[str, Any],
    knobs: type[BaseModel],
    droppable: Collection[str],
) -> dict[str, Any]:
    """Return constants less those that can do nothing, as far as they may be dropped."""
    idle = _idle(parameters, constants, knobs).keys() & set(droppable)
    return {name: value for name, value in constants.items() if name not in idle}


def _idle(parameters: Mapping[str, Parameter], constants: Mapping[str, Any], knobs: type[BaseModel]) -> dict[str, str]:
    """Return what is stated and can do nothing, with the reason.

    A knobs model says so with a class method `idle_because(name, reachable)`; `reachable` are the values of every knob.
    """
    idle_because = getattr(knobs, "idle_because", None)
    if idle_because is None:
        return {}
    defaults = default_values(knobs)
    reachable = {name: [constants.get(name, default)] for name, default in defaults.items()}
    reachable |= {name: list(one.extremes) for name, one in parameters.items()}
    stated = [*(name for name, value in constants.items() if value != defaults.get(name)), *parameters]
    idle: dict[str, str] = {}
    while found := {name: why for name in stated if name not in idle and (why := idle_because(name, reachable))}:
        idle |= found
        reachable |= {name: [defaults.get(name)] for name in found}  # what depends on these does nothing, either
    return idle


def _parameter(name: str, raw: Any, constants: Mapping[str, Any], knobs: type[BaseModel], file: str) -> Parameter:
    key = f"parameters.{name}"
    knob = knob_of(name, knobs, file, "parameters")
    if name in constants:
        raise SpaceError(file, key, "is also a constant; take it out of one of the two")
    try:
        kind = parameter_kind(raw)
    except ValueError as error:
        raise SpaceError(file, key, str(error)) from None
    try:
        parameter = kind.model_validate(raw)
    except ValidationError as error:
        written = [field for field in (Choice if kind is Choice else Range).model_fields if field not in _NOT_WRITTEN]
        inner, wrong = explain(error, dict.fromkeys(("", *map(str, range(len(raw)))), written))
        raise SpaceError(file, f"{key}.{inner}".rstrip("."), wrong) from None
    if isinstance(parameter, ConditionalRanges):
        ranges = enumerate(parameter.ranges)
        return ConditionalRanges(tuple(_typed_range(one, knob, file, f"{key}.{number}") for number, one in ranges))
    if isinstance(parameter, Choice):
        return _typed_choice(parameter, knob, file, key)
    return _typed_range(parameter, knob, file, key)


def _typed_choice(parameter: Choice, knob: FieldInfo, file: str, key: str) -> Choice:
    values = tuple(checked_value(value, knob, file, f"{key}.choice") for value in parameter.choice)
    if len(set(map(repr, values))) < len(values):
        raise SpaceError(file, f"{key}.choice", "lists a value twice; drop one")
    return _with_default(parameter.model_copy(update={"choice": values}), knob, file, key)


def _typed_range(parameter: Range, knob: FieldInfo, file: str, key: str) -> Range:
    if knob.annotation == float | int | bool | str:
        return _with_default(parameter, knob, file, key)
    if knob.annotation not in (int, float):
        raise SpaceError(file, key, "is no number, so it needs {choice: [...]}")
    if knob.annotation is int and parameter.step is not None and parameter.step != int(parameter.step):
        raise SpaceError(
            file, f"{key}.step", f"must be a whole number, as the hyperparameter is (got {parameter.step:g})"
        )
    ends = {end: checked_value(getattr(parameter, end), knob, file, f"{key}.{end}") for end in ("low", "high")}
    typed = parameter.model_copy(update={**ends, "integer": knob.annotation is int})
    return _with_default(typed, knob, file, key)


def _with_default(typed: Drawn, knob: FieldInfo, file: str, key: str) -> Drawn:
    if typed.default is None:
        return typed
    default = checked_value(typed.default, knob, file, f"{key}.default")
    if not typed.contains(default):
        raise SpaceError(file, f"{key}.default", f"{default!r} lies outside the parameter; move it inside")
    return typed.model_copy(update={"default": default})
