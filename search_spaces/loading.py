"""From a YAML file to a SearchSpace: find, merge profile and overrides, check against the knobs."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from plugins.names import name_hint
from search_spaces.checking import check_conditions, check_constants, check_parameters, default_values
from search_spaces.errors import SpaceError, explain
from search_spaces.space import SearchSettings, SearchSpace

SHIPPED = Path(__file__).parent
SECTIONS = ("task", "data", "plugins", "metric", "parameters", "constants", "search", "profiles")
AUTO, SIZED = "auto", ("epochs", "batch_size")  # what may follow from the number of pictures
_NO_MAPPINGS = ("task", "metric", "plugins")
PROFILE_SECTIONS = ("constants", "search")
_EXAMPLES = {"task": "task: age", "data": "data: {source: sample_faces}"}


def load_space(
    space: str,
    *,
    knobs: type[BaseModel],
    data_options: TypeAdapter[Any] | None = None,
    metrics: Collection[str] = ("macro_f1",),
    settled: Mapping[str, Any] | None = None,
    profile: str | None = None,
    data: Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
) -> SearchSpace:
    """Return the checked space that a file spells.

    `space` is a path or the name of a shipped file; `knobs` is the model that every hyperparameter must be a
    field of; `data_options` checks the data section; `metrics` are the names to choose from; `profile` picks
    one of the file's profiles; `data` takes the place of the file's data section, but for the options that
    all sources share; `overrides` are 'key=value' texts, applied last. `settled` are values of knobs that take the place of
    their defaults: a study that was begun keeps its own.

    Raises:
        SpaceError: with file, key, what is wrong and the way out.
    """
    path = find_space(space)
    raw = _read(path)
    file = path.name
    raw = _with_profile(raw, profile, file)
    if data is not None and data_options is not None:
        raw["data"] = {**_shared_options(data_options, raw.get("data") or {}), **data}
    for override in overrides:
        raw = _sectioned(_overridden(raw, override, file), file)
    for required in ("task", "data"):
        if raw.get(required) is None:
            raise SpaceError(file, required, f"is missing; add it, such as {_EXAMPLES[required]}")
    raw, sized_by_data = _without_auto(raw, knobs)
    checked = raw["data"] if data_options is None else _checked_data(data_options, raw["data"], file)
    constants = check_constants(raw.get("constants") or {}, knobs, file)
    parameters, stated = check_parameters(raw.get("parameters") or {}, constants, knobs, file)
    check_conditions(parameters, constants, knobs, file)
    fields = {
        "name": path.stem,
        "profile": profile,
        "task": raw.get("task"),
        "data": checked,
        "plugins": _plugin_list(raw, file),
        "metric": _checked_metric(raw.get("metric", "macro_f1"), metrics, file),
        "parameters": parameters,
        "constants": constants,
        "defaults": {**default_values(knobs), **(settled or {}), **stated},
        "search": raw.get("search") or {},
        "sized_by_data": sized_by_data,
    }
    try:
        return SearchSpace(**fields)
    except ValidationError as error:
        key, wrong = explain(error, {"search": list(SearchSettings.model_fields), "": SECTIONS})
        raise SpaceError(file, key, wrong) from None


def _without_auto(raw: dict[str, Any], knobs: type[BaseModel]) -> tuple[dict[str, Any], list[str]]:
    """Return the space with the knobs' own defaults where it says auto, and which knobs those are."""
    constants, parameters = dict(raw.get("constants") or {}), dict(raw.get("parameters") or {})
    sized = [name for name in SIZED if constants.get(name) == AUTO and name in knobs.model_fields]
    constants |= {name: knobs.model_fields[name].default for name in sized}
    for name in SIZED:
        if isinstance(parameters.get(name), dict) and parameters[name].get("default") == AUTO:
            parameters[name] = {key: value for key, value in parameters[name].items() if key != "default"}
            sized.append(name)
    return {**raw, "constants": constants, "parameters": parameters}, sized


def _checked_metric(metric: Any, metrics: Collection[str], file: str) -> str:
    if not isinstance(metric, str) or metric not in metrics:
        raise SpaceError(file, "metric", f"there is no metric {metric!r}; {name_hint(metric, metrics)}")
    return metric


def find_space(space: str) -> Path:
    """Return the file that `space` names: a path, or a file shipped in search_spaces/."""
    for candidate in (Path(space), SHIPPED / space, SHIPPED / f"{space}.yaml"):
        if candidate.is_file():
            return candidate
    shipped = sorted(path.name for path in SHIPPED.glob("*.yaml"))
    raise SpaceError(space, "", f"no such space file; {name_hint(space, shipped)}")


def plugin_names(space: str, overrides: Sequence[str] = ()) -> list[str]:
    """Return the plugins that a space file names: they are loaded before the rest of it can be understood."""
    path = find_space(space)
    raw = _read(path)
    for override in overrides:
        raw = _overridden(raw, override, path.name)
    return _plugin_list(raw, path.name)


def _plugin_list(raw: Mapping[str, Any], file: str) -> list[str]:
    names = raw.get("plugins") or []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise SpaceError(file, "plugins", f"must be a list of modules, such as [my_losses] (got {names!r})")
    return names


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
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise SpaceError("--set", override, f"{text!r} is no YAML value; quote it") from None
    if parts[0] == "profiles":
        raise SpaceError("--set", override, "a profile is laid over the space first; set constants or search itself")
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
        if error.errors()[0]["type"] == "union_tag_not_found":
            raise SpaceError(file, "data.source", f"is missing; {name_hint('', _option_names(data_options))}") from None
        kind = next((str(part) for part in error.errors()[0]["loc"][:1]), "")
        key, wrong = explain(error, _option_names(data_options))
        raise SpaceError(file, f"data.{key.removeprefix(f'{kind}.')}" if "." in key else "data", wrong) from None
    return checked


def _shared_options(data_options: TypeAdapter[Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a data section that mean the same for every source: how it is split."""
    of_each = [set(names) for names in _option_names(data_options).values()]
    return {name: data[name] for name in set.intersection(*of_each) - {"source"} if name in data}


def _option_names(data_options: TypeAdapter[Any]) -> dict[str, Sequence[str]]:
    """Return the option names of every data source, keyed by the source, for the hint on unknown keys."""
    schema = data_options.json_schema()
    mapping = schema.get("discriminator", {}).get("mapping", {})
    return {
        source: list(schema["$defs"][reference.rsplit("/", 1)[-1]]["properties"])
        for source, reference in mapping.items()
    }
