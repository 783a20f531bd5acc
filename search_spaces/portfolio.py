"""A portfolio: configurations that together did best on other data, best first, and what of them lies in a space."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from plugins.names import name_hint
from search_spaces.errors import SpaceError, explain
from search_spaces.parameters import Choice, Range, Value
from search_spaces.space import SearchSpace
from storage.safe_yaml import load_yaml

NONE, SHIPPED = "none", "shipped"
FOLDER = Path(__file__).parent / "portfolios"
_WRITTEN_BY = "a portfolio is written by python -m analysis.portfolio"


class Entry(BaseModel):
    """One configuration, by every knob that the portfolio's configurations differ in, and what it was called."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    origin: str
    configuration: dict[str, Value]
    place: float = Field(0.5, ge=0, le=1)  # among all that were judged, mean over the sets: 0 the worst, 1 the best

    @field_validator("configuration", mode="before")
    @classmethod
    def _numbers(cls, values: Any) -> Any:
        """Return numbers for numbers: YAML takes 2e-3 for a text."""
        return {name: _number(value) for name, value in values.items()} if isinstance(values, dict) else values


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value) if any(digit.isdecimal() for digit in value) else value
    except ValueError:
        return value


class Nets(BaseModel):
    """What was trained when configurations were judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backbones: tuple[str, ...] = Field(min_length=1)
    image_sizes: tuple[int, ...]
    epochs: tuple[int, ...]


class Portfolio(BaseModel):
    """Configurations in the order in which they are worth trying, and where they were judged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1]
    metric: str
    sets: tuple[str, ...]  # on which they were judged
    nets: Nets | None = None  # with which; None: an older version wrote the file
    first: int = Field(ge=0)  # so many are tried before a sampler is asked; the others tell it what they were worth
    configurations: tuple[Entry, ...]

    def spelled(self) -> str:
        """Return it as YAML, one configuration a line."""
        facts = yaml.safe_dump(self.model_dump(mode="json", exclude={"configurations"}), sort_keys=False)
        lines = [
            "- " + yaml.safe_dump(entry.model_dump(mode="json"), default_flow_style=True, sort_keys=False, width=10_000)
            for entry in self.configurations
        ]
        return f"{facts}configurations:\n{''.join(lines)}"


def find_portfolio(name: str, near: Path) -> Path:
    """Return the file of a portfolio by its name among the shipped ones, or by its path, from here or from a folder.

    Raises:
        SpaceError: there is none.
    """
    files = [FOLDER / f"{name}.yaml", Path(name), near / name]
    file = next((one for one in files if one.is_file()), None)
    if file is None:
        shipped = sorted(path.stem for path in FOLDER.glob("*.yaml"))
        raise SpaceError(
            "search.portfolio", name, f"no such file; {name_hint(name, [NONE, *shipped])}, or the path of one of yours"
        )
    return file


def read_portfolio(file: Path) -> Portfolio:
    """Return the portfolio of a file.

    Raises:
        SpaceError: it is no portfolio.
    """
    try:
        return Portfolio.model_validate(load_yaml(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise SpaceError(str(file), *_explained(error)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpaceError(str(file), "", f"is no portfolio ({str(error).splitlines()[0]}); {_WRITTEN_BY}") from None


def backbones(space: SearchSpace) -> tuple[str, ...]:
    """Return the backbones that a space trains."""
    parameter = space.parameters.get("backbone")
    return tuple(map(str, parameter.choice if isinstance(parameter, Choice) else (space.recipe()["backbone"],)))


def judged_on_such_nets(portfolio: Portfolio, space: SearchSpace) -> bool:
    """Tell whether a portfolio was judged with the backbone of a space's recipe; one that does not say so counts as if."""
    return portfolio.nets is None or str(space.recipe()["backbone"]) in portfolio.nets.backbones


def fitting_first(portfolio: Portfolio, space: SearchSpace) -> list[Entry]:
    """Return a portfolio's entries, those first that could have been drawn from a space."""
    return sorted(portfolio.configurations, key=lambda one: not lies_in(space, one))


def lies_in(space: SearchSpace, entry: Entry) -> bool:
    """Tell whether a configuration could have been drawn from a space: what it says of fixed knobs is so there, too."""
    recipe = space.recipe()
    fixed = {name: value for name, value in entry.configuration.items() if name not in space.parameters}
    drawn = {name: value for name, value in entry.configuration.items() if name in space.parameters}
    return all(recipe.get(name) == value for name, value in fixed.items()) and space.contains(space.complete(drawn))


def within(space: SearchSpace, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole configuration of a space that is nearest to values of another's.

    A value outside a range is moved to its nearest end, one that a choice lacks is the recipe's, and knobs that the space fixes
    keep their fixed value.
    """
    drawn: dict[str, Any] = {}
    for name, parameter in space.in_order():
        active = parameter.active_in(space.complete(drawn))
        if name in values and active is not None:
            nearest = _nearest(active, values[name], space.recipe().get(name))
            drawn |= {name: nearest} if active.contains(nearest) else {}
    return space.complete(drawn)


def _nearest(active: Range | Choice, value: Any, usual: Any) -> Any:
    if active.contains(value):
        return value
    if isinstance(active, Choice) or not isinstance(value, int | float) or isinstance(value, bool):
        return usual
    return active.nearest(value)


def notes(space: SearchSpace, configurations: list[Mapping[str, Any]] | list[dict[str, Any]]) -> list[str]:
    """Return lines on what of configurations has no place in a space."""
    recipe = space.recipe()
    named = sorted({name for values in configurations for name in values} - space.parameters.keys())
    unknown = [name for name in named if name not in recipe]
    fixed = [
        name for name in named if any(name in values and values[name] != recipe.get(name) for values in configurations)
    ]
    fixed = [name for name in fixed if name not in unknown]
    outside = sorted(
        {
            f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
            for values in configurations
            for name, value in values.items()
            if name in space.parameters and not _may_have(space, values, name)
        }
    )
    return [
        *([f"left out, as this space fixes them: {', '.join(fixed)}"] if fixed else []),
        *([f"left out, as this version knows no such knob: {', '.join(unknown)}"] if unknown else []),
        *([f"outside this space, so the nearest or the recipe's is taken: {', '.join(outside)}"] if outside else []),
    ]


def _may_have(space: SearchSpace, values: Mapping[str, Any], name: str) -> bool:
    """Tell whether a parameter may have its value under the others; so it may where it has no part."""
    drawn = {knob: value for knob, value in values.items() if knob in space.parameters}
    active = space.parameters[name].active_in(space.complete(drawn))
    return active is None or active.contains(values[name])


def _explained(error: ValidationError) -> tuple[str, str]:
    key, wrong = explain(error, {"": list(Portfolio.model_fields)})
    return key, f"{wrong}; {_WRITTEN_BY}"
