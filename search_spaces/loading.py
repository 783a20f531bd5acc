"""From what a space file spells to a SearchSpace: checked against the knobs, the data options and the metrics."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from plugins.names import name_hint
from search_spaces.checking import check_conditions, check_constants, check_parameters, without_idle
from search_spaces.conditional_ranges import Parameter
from search_spaces.errors import SpaceError, explain
from search_spaces.knobs import default_values
from search_spaces.reading import find_space, listed_values, plugin_list, raw_space
from search_spaces.sections import SECTIONS
from search_spaces.space import SearchSettings, SearchSpace

AUTO, SIZED = "auto", ("epochs", "batch_size")  # what may follow from the number of pictures


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

    `space` is a path or the name of a shipped file; `knobs` is the model that every hyperparameter must be a field of;
    `data_options` checks the data section; `metrics` are the names to choose from; `profile` picks one of the file's profiles;
    `data` takes the place of the file's data section, but for the options that all sources share; `overrides` are 'key=value'
    texts, applied last. `settled` are values of knobs in the place of their defaults: a study that was begun keeps its own.

    Raises:
        SpaceError: with file, key, what is wrong and the way out.
    """
    path = find_space(space)
    file = path.name
    with_data = partial(_with_data, data=data, data_options=data_options)
    raw, sized_by_data = _without_auto(raw_space(path, profile, overrides, with_data), knobs)
    parameters, constants, stated = _checked_knobs(raw, path, knobs, overrides)
    checked = raw["data"] if data_options is None else _checked_data(data_options, raw["data"], file)
    fields = {
        "name": path.stem,
        "profile": profile,
        "task": raw.get("task"),
        "data": checked,
        "plugins": plugin_list(raw, file),
        "metric": _checked_metric(raw.get("metric", "macro_f1"), metrics, file),
        "parameters": parameters,
        "constants": constants,
        "defaults": {**default_values(knobs), **(settled or {}), **stated},
        "search": raw.get("search") or {},
        "sized_by_data": sized_by_data,
    }
    return _space(fields, file)


def _checked_knobs(
    raw: Mapping[str, Any], path: Path, knobs: type[BaseModel], overrides: Sequence[str]
) -> tuple[dict[str, Parameter], dict[str, Any], dict[str, Any]]:
    """Return the parameters, the constants, and the recipe as far as the parameters state it."""
    file = path.name
    constants = check_constants(raw.get("constants") or {}, knobs, file)
    parameters, stated = check_parameters(raw.get("parameters") or {}, constants, knobs, file, listed_values(path))
    constants = without_idle(parameters, constants, knobs, constants.keys() - _typed(overrides) if overrides else ())
    check_conditions(parameters, constants, knobs, file)
    return parameters, constants, stated


def _typed(overrides: Sequence[str]) -> set[str]:
    """Return the constants that overrides name: what only the file fixes may do nothing under what was set."""
    return {override.partition("=")[0].strip().removeprefix("constants.") for override in overrides}


def _space(fields: Mapping[str, Any], file: str) -> SearchSpace:
    searched = fields["search"]
    for name, value in searched.items() if isinstance(searched, dict) else ():
        if isinstance(value, bool) and name in SearchSettings.model_fields:  # pydantic takes true for 1
            raise SpaceError(file, f"search.{name}", f"cannot be {str(value).lower()}; write its value")
    try:
        return SearchSpace(**fields)
    except ValidationError as error:
        key, wrong = explain(error, {"search": list(SearchSettings.model_fields), "": SECTIONS})
        raise SpaceError(file, key, wrong) from None


def _with_data(
    raw: dict[str, Any], data: Mapping[str, Any] | None, data_options: TypeAdapter[Any] | None
) -> dict[str, Any]:
    """Return a space with another data section, less what all sources share."""
    if data is None or data_options is None:
        return raw
    return {**raw, "data": {**_shared_options(data_options, raw.get("data") or {}), **data}}


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


def _checked_data(data_options: TypeAdapter[Any], data: Any, file: str) -> dict[str, Any]:
    try:
        checked: dict[str, Any] = data_options.validate_python(data).model_dump(mode="json")
    except ValidationError as error:
        if error.errors()[0]["type"] == "union_tag_not_found":
            raise SpaceError(file, "data.source", f"is missing; {name_hint('', _option_names(data_options))}") from None
        kind = next((str(part) for part in error.errors()[0]["loc"][:1]), "")
        key, wrong = explain(error, _option_names(data_options))
        raise SpaceError(file, f"data.{key.removeprefix(f'{kind}.')}" if "." in key else "data", wrong) from None
    for name, value in data.items():
        if isinstance(value, bool) and not isinstance(checked[name], bool):  # pydantic takes true for 1
            raise SpaceError(file, f"data.{name}", f"cannot be {str(value).lower()}; write its value")
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
