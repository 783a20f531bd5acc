"""From a YAML file to plain values: found, read, its profile and overrides laid over it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from plugins.names import name_hint
from search_spaces.errors import SpaceError

SHIPPED = Path(__file__).parent
SECTIONS = ("task", "data", "plugins", "metric", "parameters", "constants", "search", "profiles")
_NO_MAPPINGS = ("task", "metric", "plugins")
PROFILE_SECTIONS = ("parameters", "constants", "search")
_OF_PARAMETERS = ("low", "high", "log", "step", "choice", "default", "when")
_EXAMPLES = {"task": "task: age", "data": "data: {source: sample_faces}"}


def find_space(space: str) -> Path:
    """Return the file that `space` names: a path, or a file shipped in search_spaces/."""
    for candidate in (Path(space), SHIPPED / space, SHIPPED / f"{space}.yaml"):
        if candidate.is_file():
            return candidate
    shipped = sorted(path.name for path in SHIPPED.glob("*.yaml"))
    raise SpaceError(space, "", f"no such space file; {name_hint(space, shipped)}")


def raw_space(
    path: Path,
    profile: str | None,
    overrides: Sequence[str],
    with_data: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> dict[str, Any]:
    """Return what a file spells with its profile, other data and overrides laid over it, in this order.

    Raises:
        SpaceError: a section is unknown or of the wrong kind, or task or data is missing.
    """
    raw = with_data(_with_profile(_read(path), profile, path.name))
    for override in overrides:
        raw = _sectioned(_overridden(raw, override, path.name), path.name)
    for required in ("task", "data"):
        if raw.get(required) is None:
            raise SpaceError(path.name, required, f"is missing; add it, such as {_EXAMPLES[required]}")
    return raw


def plugin_names(space: str, overrides: Sequence[str] = ()) -> list[str]:
    """Return the plugins that a space file names: they are loaded before the rest of it can be understood."""
    path = find_space(space)
    raw = _read(path)
    for override in overrides:
        raw = _overridden(raw, override, path.name)
    return plugin_list(raw, path.name)


def plugin_list(raw: Mapping[str, Any], file: str) -> list[str]:
    """Return the plugins that a space names, as a list of modules."""
    names = raw.get("plugins") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SpaceError(file, "plugins", f"must be a list of modules, such as [my_losses] (got {names!r})")
    return names


def profile_names(space: str) -> list[str]:
    """Return the profiles that a space file offers."""
    return list(_read(find_space(space)).get("profiles") or {})


def listed_values(path: Path) -> dict[str, list[Any]]:
    """Return every value that a file lists for a knob: in choices, constants and conditions' sake also in its profiles."""
    raw, listed = _read(path), dict[str, list[Any]]()
    for part in (raw, *(raw.get("profiles") or {}).values()):
        for name, value in ((part or {}).get("constants") or {}).items():
            listed.setdefault(name, []).append(value)
        for name, parameter in ((part or {}).get("parameters") or {}).items():
            choice = parameter.get("choice") if isinstance(parameter, dict) else None
            listed.setdefault(name, []).extend(choice if isinstance(choice, list | dict) else ())
    return listed


def searched_constants(space: str, profile: str | None, overrides: Sequence[str]) -> dict[str, Any]:
    """Return the constants of a file that overrides turn into parameters, with the values that they had."""
    path = find_space(space)
    raw = _with_profile(_read(path), profile, path.name)
    constants, found = raw.get("constants") or {}, dict[str, Any]()
    for override in overrides:
        raw = _overridden(raw, override, path.name)
        found |= {name: value for name, value in constants.items() if name not in (raw.get("constants") or {})}
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise SpaceError(path.name, "", f"is not readable YAML{line}; fix the indentation or quoting there") from None
    if not isinstance(raw, dict):
        raise SpaceError(path.name, "", f"must be a mapping with the keys {', '.join(SECTIONS)}")
    return _sectioned(raw, path.name)


def _sectioned(raw: dict[str, Any], file: str) -> dict[str, Any]:
    """Return the space if its sections are known and of the right kind."""
    for section, value in raw.items():
        if section not in SECTIONS:
            raise SpaceError(file, str(section), f"unknown key; {name_hint(section, SECTIONS)}")
        if section not in _NO_MAPPINGS and not isinstance(value, dict | None):
            raise SpaceError(file, str(section), f"must be a mapping (got {value!r})")
    for name, profile in (raw.get("profiles") or {}).items():
        for section, value in _mapping(profile, file, f"profiles.{name}").items():
            _mapping(value, file, f"profiles.{name}.{section}")
    return raw


def _mapping(value: Any, file: str, key: str) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise SpaceError(file, key, f"must be a mapping (got {value!r})")
    return value or {}


def _with_profile(raw: dict[str, Any], profile: str | None, file: str) -> dict[str, Any]:
    """Return the space with the profile's parameters, constants and search settings laid over its own."""
    profiles: Mapping[str, Any] = raw.get("profiles") or {}
    if profile is not None and profile not in profiles:
        raise SpaceError(file, "profiles", f"there is no profile {profile!r}; {name_hint(profile, profiles)}")
    merged = {key: value for key, value in raw.items() if key != "profiles"}
    for name, sections in profiles.items():
        for section, values in (sections or {}).items():
            if section not in PROFILE_SECTIONS:
                key = f"profiles.{name}.{section}"
                raise SpaceError(file, key, f"a profile sets only these; {name_hint(section, PROFILE_SECTIONS)}")
            if name == profile:
                merged[section] = {**(merged.get(section) or {}), **(values or {})}
    return merged


def _overridden(raw: dict[str, Any], override: str, file: str) -> dict[str, Any]:
    """Return the space after one 'key=value'; a key outside the sections is a parameter's."""
    key, separator, text = override.partition("=")
    parts = key.strip().split(".")
    if not separator or not all(parts):
        raise SpaceError("--set", override, "must look like learning_rate.high=3e-3 or constants.epochs=4")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise SpaceError("--set", override, f"{text!r} is no YAML value; quote it") from None
    if parts[0] == "profiles":
        raise SpaceError("--set", override, "a profile is laid over the space first; set constants or search itself")
    if parts[0] not in SECTIONS:
        parts = ["parameters", *parts]
    if parts[0] in ("parameters", "constants"):
        parts = _with_option(parts, raw)
    if parts[0] == "parameters" and len(parts) == 2 and not _spells_parameter(value):
        raw, parts = _without(raw, "parameters", parts[1]), ["constants", parts[1]]
    elif parts[0] == "parameters" and len(parts) > 1 and parts[1] in (raw.get("constants") or {}):
        raw = _without(raw, "constants", parts[1])
        raw = {**raw, "parameters": {**(raw.get("parameters") or {}), parts[1]: {}}}
    return _replaced(raw, parts, value, file, key)


def _spells_parameter(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value))


def _without(raw: dict[str, Any], section: str, name: str) -> dict[str, Any]:
    return {**raw, section: {other: kept for other, kept in (raw.get(section) or {}).items() if other != name}}


def _with_option(parts: list[str], raw: Mapping[str, Any]) -> list[str]:
    """Return the parts of a key with the name of an option, such as optimizer_options.eps, in one piece."""
    if parts[1:2] != ["optimizer_options"] or len(parts) < 3:
        return parts
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
    """Return a list of ranges after a change to one of them, which is named by its number."""
    numbered = {str(number): one for number, one in enumerate(ranges)}
    if parts[0] not in numbered or len(parts) == 1:
        of_each = ", ".join(
            f"{key.removesuffix('.' + '.'.join(parts))}.{number} ({one.get('when')})"
            for number, one in numbered.items()
        )
        raise SpaceError("--set", key, f"there are several ranges in {file}; say which: {of_each}")
    changed = _replaced(numbered, parts, value, file, key)
    return list(changed.values())
