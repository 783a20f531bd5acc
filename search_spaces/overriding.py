"""What `--set` does to a space as it is written: 'key=value' laid over it, whatever stands there."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from plugins.names import name_hint
from search_spaces.errors import SpaceError
from search_spaces.sections import SECTIONS, sectioned
from storage.safe_yaml import load_yaml

_OF_PARAMETERS = ("low", "high", "log", "step", "choice", "default", "when")


def with_overrides(raw: dict[str, Any], overrides: Sequence[str], file: str) -> dict[str, Any]:
    """Return a space after every 'key=value', in their order.

    Raises:
        SpaceError: one cannot be meant.
    """
    for override in overrides:
        raw = sectioned(_overridden(raw, override, file), file)
    return raw


def with_former_defaults(raw: dict[str, Any], former: Mapping[str, Any]) -> dict[str, Any]:
    """Return a space in which a constant that became a parameter is what the recipe takes, unless a default is stated.

    Raises:
        SpaceError: the parameter leaves it out.
    """
    parameters = dict(raw.get("parameters") or {})
    for name, value in former.items():
        parameter = parameters.get(name)
        if isinstance(parameter, dict) and "default" not in parameter and name not in (raw.get("constants") or {}):
            if not _lies_in(value, parameter):
                raise SpaceError(
                    "--set",
                    name,
                    f"leaves out {value!r}, which the recipe has; --set parameters.{name}.default=VALUE says another",
                )
            parameters[name] = {**parameter, "default": value}
    return {**raw, "parameters": parameters} if parameters else raw


def _lies_in(value: Any, parameter: Mapping[str, Any]) -> bool:
    """Tell whether a parameter as it is written may have a value; auto follows from the data, and the nearest is taken."""
    if value == "auto":
        return True
    if "choice" in parameter:
        return value in parameter["choice"]
    low, high = parameter.get("low"), parameter.get("high")
    if isinstance(value, int | float) and isinstance(low, int | float) and isinstance(high, int | float):
        return low <= value <= high
    return True  # what is wrong with it is found when it is checked


def _overridden(raw: dict[str, Any], override: str, file: str) -> dict[str, Any]:
    """Return the space after one 'key=value'; a key outside the sections is a parameter's."""
    key, separator, text = override.partition("=")
    parts = key.strip().split(".")
    if not separator or not all(parts):
        raise SpaceError("--set", override, "must look like learning_rate.high=3e-3 or constants.epochs=4")
    try:
        value = load_yaml(text)
    except yaml.YAMLError:
        raise SpaceError("--set", override, f"{text!r} is no YAML value; quote it") from None
    if parts[0] == "profiles":
        raise SpaceError("--set", override, "a profile is laid over the space first; set constants or search itself")
    if parts[0] not in SECTIONS:
        parts = ["parameters", *parts]
    if parts[0] in ("parameters", "constants"):
        parts = _with_option(parts, raw)
    if parts[0] == "parameters" and parts[2:3] == ["choice"] and len(parts) > 3:  # the weight of a value, such as 0.3
        return _with_weight(raw, parts, value, file, key)
    if parts[0] == "parameters" and len(parts) == 2 and not _spells_parameter(value):
        raw, parts = _without(raw, "parameters", parts[1]), ["constants", parts[1]]
    elif parts[0] == "parameters" and len(parts) > 1 and parts[1] in (raw.get("constants") or {}):
        raw = _without(raw, "constants", parts[1])
        raw = {**raw, "parameters": {**(raw.get("parameters") or {}), parts[1]: {}}}
    return _replaced(raw, parts, value, file, key)


def _with_weight(raw: dict[str, Any], parts: Sequence[str], value: Any, file: str, key: str) -> dict[str, Any]:
    """Return the space with another weight of a value that a choice has."""
    choice = ((raw.get("parameters") or {}).get(parts[1]) or {}).get("choice")
    weights = dict.fromkeys(choice, 1) if isinstance(choice, list) else choice
    wanted = load_yaml(".".join(parts[3:]))
    if not isinstance(weights, dict) or wanted not in weights:
        hint = name_hint(str(wanted), map(str, weights or ()))
        raise SpaceError("--set", key, f"{parts[1]} has no value {wanted!r} in {file}; {hint}")
    (known,) = (one for one in weights if one == wanted and isinstance(one, bool) == isinstance(wanted, bool))
    return _replaced(raw, list(parts[:3]), {**weights, known: value}, file, key)


def _spells_parameter(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value))


def _without(raw: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    return {**raw, section: {other: kept for other, kept in (raw.get(section) or {}).items() if other != name}}


def _with_option(parts: list[str], raw: Mapping[str, Any]) -> list[str]:
    """Return the parts of a key with the name of an option, such as optimizer_options.eps, in one piece."""
    if parts[1:2] != ["optimizer_options"] or len(parts) < 3:
        return parts
    known = {*(raw.get("parameters") or {}), *(raw.get("constants") or {})}
    for end in range(len(parts), 2, -1):
        if (name := ".".join(parts[1:end])) in known:
            return [parts[0], name, *parts[end:]]
    inside = next((end for end in range(3, len(parts)) if parts[end] in _OF_PARAMETERS), len(parts))
    return [parts[0], ".".join(parts[1:inside]), *parts[inside:]]


def _replaced(raw: dict[str, Any], parts: Sequence[str], value: Any, file: str, key: str) -> dict[str, Any]:
    if len(parts) == 1:
        return {**raw, parts[0]: value}
    inner = raw.get(parts[0]) or {}
    if isinstance(inner, list) and any(isinstance(one, dict) for one in inner):
        return {**raw, parts[0]: _replaced_in_list(inner, parts[1:], value, file, key)}
    if not isinstance(inner, dict):
        raise SpaceError(file, key, f"{parts[0]} holds the single value {inner!r}, so nothing can be set inside it")
    if parts[0] == "parameters" and len(parts) > 2 and parts[1] not in inner:
        raise SpaceError("--set", key, f"no such parameter in {file}; {name_hint(parts[1], inner)}")
    return {**raw, parts[0]: _replaced(inner, parts[1:], value, file, key)}


def _replaced_in_list(ranges: list[Any], parts: Sequence[str], value: Any, file: str, key: str) -> list[Any]:
    """Return a list of ranges after a change to the range whose number is named."""
    numbered = {str(number): one for number, one in enumerate(ranges)}
    if parts[0] not in numbered or len(parts) == 1:
        of_each = ", ".join(
            f"{key.removesuffix('.' + '.'.join(parts))}.{number} ({one.get('when')})"
            for number, one in numbered.items()
        )
        raise SpaceError("--set", key, f"there are several ranges in {file}; say which: {of_each}")
    changed = _replaced(numbered, parts, value, file, key)
    return list(changed.values())
