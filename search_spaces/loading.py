"""From a YAML file to a SearchSpace: find, merge profile and overrides, check against the knobs."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from search_spaces.checking import check_constants, check_parameters
from search_spaces.errors import SpaceError, explain, name_hint
from search_spaces.space import SearchSettings, SearchSpace

SHIPPED = Path(__file__).parent
SECTIONS = ("task", "data", "metric", "parameters", "constants", "search", "profiles")
PROFILE_SECTIONS = ("constants", "search")


def load_space(
    space: str,
    *,
    knobs: type[BaseModel],
    data_options: TypeAdapter[Any] | None = None,
    profile: str | None = None,
    overrides: Sequence[str] = (),
) -> SearchSpace:
    """Return the checked space that a file spells.

    `space` is a path or the name of a shipped file; `knobs` is the model that every hyperparameter
    must be a field of; `data_options` checks the data section; `profile` picks one of the file's
    profiles if it has any; `overrides` are 'key=value' texts, applied last.

    Raises:
        SpaceError: with file, key, what is wrong and the way out.
    """
    path = find_space(space)
    raw = _read(path)
    file = path.name
    raw = _with_profile(raw, profile, file)
    for override in overrides:
        raw = _overridden(raw, override, file)
    data = raw.get("data", {})
    if data_options is not None:
        data = _checked_data(data_options, data, file)
    constants = check_constants(raw.get("constants") or {}, knobs, file)
    parameters, defaults = check_parameters(raw.get("parameters") or {}, constants, knobs, file)
    fields = {
        "name": path.stem, "profile": profile, "task": raw.get("task"), "data": data, "metric": raw.get("metric", "macro_f1"),
        "parameters": parameters, "constants": constants, "defaults": defaults, "search": raw.get("search") or {},
    }  # fmt: skip
    try:
        return SearchSpace(**fields)
    except ValidationError as error:
        key, wrong = explain(error, {"search": list(SearchSettings.model_fields), "": SECTIONS})
        raise SpaceError(file, key, wrong) from None


def find_space(space: str) -> Path:
    """Return the file that `space` names: a path, or a file shipped in search_spaces/."""
    for candidate in (Path(space), SHIPPED / space, SHIPPED / f"{space}.yaml"):
        if candidate.is_file():
            return candidate
    shipped = sorted(path.name for path in SHIPPED.glob("*.yaml"))
    raise SpaceError(space, "", f"no such space file; {name_hint(space, shipped)}")


def profile_names(space: str) -> list[str]:
    """Return the profiles that a space file offers."""
    return list(_read(find_space(space)).get("profiles") or {})


def _read(path: Path) -> dict[str, Any]:
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        where = getattr(error, "problem_mark", None)
        line = f" at line {where.line + 1}" if where else ""
        raise SpaceError(path.name, "", f"is not readable YAML{line}; fix the indentation or quoting there") from None
    if not isinstance(raw, dict):
        raise SpaceError(path.name, "", f"must be a mapping with the keys {', '.join(SECTIONS)}")
    for section, value in raw.items():
        if section not in SECTIONS:
            raise SpaceError(path.name, str(section), f"unknown key; {name_hint(section, SECTIONS)}")
        if section not in ("task", "metric") and not isinstance(value, dict | None):
            raise SpaceError(path.name, str(section), f"must be a mapping (got {value!r})")
    return raw


def _with_profile(raw: dict[str, Any], profile: str | None, file: str) -> dict[str, Any]:
    """Return the space with the profile's constants and search settings laid over its own."""
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
    value = yaml.safe_load(text)
    if parts[0] not in SECTIONS:
        parts = ["parameters", *parts]
    if parts[0] == "parameters" and len(parts) == 2 and not isinstance(value, dict):
        without = {name: kept for name, kept in (raw.get("parameters") or {}).items() if name != parts[1]}
        raw, parts = {**raw, "parameters": without}, ["constants", parts[1]]
    return _replaced(raw, parts, value, file, key)


def _replaced(raw: dict[str, Any], parts: Sequence[str], value: Any, file: str, key: str) -> dict[str, Any]:
    if len(parts) == 1:
        return {**raw, parts[0]: value}
    inner = raw.get(parts[0]) or {}
    if not isinstance(inner, dict):
        raise SpaceError(file, key, f"{parts[0]} holds the single value {inner!r}, so nothing can be set inside it")
    if parts[0] == "parameters" and len(parts) > 2 and parts[1] not in inner:
        raise SpaceError("--set", key, f"no such parameter in {file}; {name_hint(parts[1], inner)}")
    return {**raw, parts[0]: _replaced(inner, parts[1:], value, file, key)}


def _checked_data(data_options: TypeAdapter[Any], data: Any, file: str) -> dict[str, Any]:
    try:
        checked: dict[str, Any] = data_options.validate_python(data).model_dump(mode="json")
    except ValidationError as error:
        kind = next((str(part) for part in error.errors()[0]["loc"][:1]), "")
        key, wrong = explain(error, _option_names(data_options))
        raise SpaceError(file, f"data.{key.removeprefix(f'{kind}.')}" if "." in key else "data", wrong) from None
    return checked


def _option_names(data_options: TypeAdapter[Any]) -> dict[str, Sequence[str]]:
    """Return the option names of every data source, keyed by the source, for the hint on unknown keys."""
    schema = data_options.json_schema()
    mapping = schema.get("discriminator", {}).get("mapping", {})
    return {
        source: list(schema["$defs"][reference.rsplit("/", 1)[-1]]["properties"])
        for source, reference in mapping.items()
    }
