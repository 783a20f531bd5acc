"""From a YAML file to plain values: found, read, its profile and overrides laid over it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from plugins.names import name_hint
from search_spaces.errors import SpaceError
from search_spaces.overriding import with_former_defaults, with_overrides
from search_spaces.sections import SECTIONS, sectioned
from storage.safe_yaml import RefusedYaml, load_yaml

SHIPPED = Path(__file__).parent
PROFILE_SECTIONS = ("parameters", "constants", "search")
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
    former = dict(raw.get("constants") or {})
    raw = with_former_defaults(with_overrides(raw, overrides, path.name), former)
    for required in ("task", "data"):
        if raw.get(required) is None:
            raise SpaceError(path.name, required, f"is missing; add it, such as {_EXAMPLES[required]}")
    return raw


def plugin_names(space: str, overrides: Sequence[str] = ()) -> list[str]:
    """Return the plugins that a space file names: they are loaded before the rest of it can be understood."""
    path = find_space(space)
    return plugin_list(with_overrides(_read(path), overrides, path.name), path.name)


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
    changed = with_overrides(raw, overrides, path.name)
    searched = (changed.get("parameters") or {}).keys() - (changed.get("constants") or {}).keys()
    return {name: value for name, value in (raw.get("constants") or {}).items() if name in searched}


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = load_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        if isinstance(error, RefusedYaml):
            raise SpaceError(path.name, "", f"{error.problem}{line}; say it once, and plainly") from None
        raise SpaceError(path.name, "", f"is not readable YAML{line}; fix the indentation or quoting there") from None
    if not isinstance(raw, dict):
        raise SpaceError(path.name, "", f"must be a mapping with the keys {', '.join(SECTIONS)}")
    return sectioned(raw, path.name)


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
