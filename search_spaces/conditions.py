"""The conditions of a space's parameters: on what they depend, whether it can come about, and which of several ranges holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel

from plugins.names import name_hint
from search_spaces.conditional_ranges import ConditionalRanges, Parameter
from search_spaces.errors import SpaceError
from search_spaces.knobs import checked_value, default_values, knob_of
from search_spaces.parameters import Choice, Range, Value

Drawn = TypeVar("Drawn", Range, Choice)


@dataclass(frozen=True)
class Conditions:
    """Checks every condition of a space; `listed` are values that its file lists for a knob, whatever was set since."""

    parameters: Mapping[str, Parameter]
    constants: Mapping[str, Any]
    knobs: type[BaseModel]
    listed: Mapping[str, Sequence[Any]]
    file: str

    def checked(self, name: str) -> Parameter:
        """Return a parameter whose conditions name values as the types of their knobs.

        Raises:
            SpaceError: a condition is circular or can never hold; of several ranges two hold at once, or none.
        """
        self._check_acyclic(name, ())
        parameter, key = self.parameters[name], f"parameters.{name}"
        if isinstance(parameter, Choice):
            return self._typed(parameter, key)
        if isinstance(parameter, Range):
            return self._typed(parameter, key)
        ranges = [self._typed(one, f"{key}.{number}") for number, one in enumerate(parameter.ranges)]
        typed = ConditionalRanges(tuple(ranges))
        try:
            typed.check_conditions({other: self._values(other) for other in typed.depends_on})
        except ValueError as error:
            raise SpaceError(self.file, key, str(error).replace("KNOB", name)) from None
        return typed

    def without_unreachable(self, parameters: Mapping[str, Parameter]) -> dict[str, Parameter]:
        """Return parameters less what is never drawn from, as `--set` or a profile took away what its condition names.

        What depends on those goes, too.
        """
        kept: dict[str, Parameter] = {}
        for name, parameter in parameters.items():
            if isinstance(parameter, ConditionalRanges):
                ranges = tuple(one for one in parameter.ranges if self._may_hold(one))
                kept |= {name: ConditionalRanges(ranges)} if ranges else {}
            elif self._may_hold(parameter):
                kept[name] = parameter
        return kept if len(kept) == len(parameters) else replace(self, parameters=kept).without_unreachable(kept)

    def _may_hold(self, one: Range | Choice) -> bool:
        conditions = (one.when or {}).items()
        return all(any(value in self._values(other) for value in _values_of(wanted)) for other, wanted in conditions)

    def _typed(self, one: Drawn, key: str) -> Drawn:
        typed: dict[str, Any] = {}
        for other, wanted in (one.when or {}).items():
            where = f"{key}.when.{other}"
            if other not in self.parameters and other not in self.constants:
                hint = name_hint(other, [*self.parameters, *self.constants])
                raise SpaceError(self.file, where, f"depends on what is neither a parameter nor a constant; {hint}")
            knob = knob_of(other, self.knobs, self.file, "constants")
            typed[other] = [checked_value(value, knob, self.file, where) for value in _values_of(wanted)]
            for value in typed[other]:
                self._check_reachable(other, value, where)
        return one.model_copy(update={"when": typed}) if typed else one

    def _check_reachable(self, other: str, value: Any, where: str) -> None:
        """Refuse a condition on a value that can never be drawn: a typing mistake that would switch a parameter off."""
        parameter = self.parameters.get(other)
        if isinstance(parameter, Range | ConditionalRanges):
            raise SpaceError(self.file, where, "depends on a range; a condition needs a choice")
        if value not in (*self._values(other), *self.listed.get(other, ())):
            raise SpaceError(self.file, where, f"{value!r} is never chosen; {name_hint(value, self._values(other))}")

    def _values(self, other: str) -> list[Any]:
        """Return the values that another knob may have: the recipe's, too, where that has a condition of its own."""
        parameter = self.parameters.get(other)
        if parameter is None:
            return [self.constants.get(other, default_values(self.knobs).get(other))]
        stated = parameter.default if isinstance(parameter, Choice) else None
        usual = default_values(self.knobs).get(other) if stated is None else stated
        return list(dict.fromkeys([*parameter.extremes, *([usual] if parameter.depends_on else [])]))

    def _check_acyclic(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            circle = " -> ".join((*above, name))
            raise SpaceError(self.file, f"parameters.{name}.when", f"is circular: {circle}; drop one condition")
        for other in self.parameters[name].depends_on if name in self.parameters else ():
            self._check_acyclic(other, (*above, name))


def _values_of(wanted: Value | list[Value]) -> list[Value]:
    return wanted if isinstance(wanted, list) else [wanted]
