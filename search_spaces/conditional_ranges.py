"""A parameter of several ranges, of which the values of other knobs choose one: learning rates by optimizer."""

from collections.abc import Mapping
from itertools import product
from typing import Annotated, Any, TypeAlias

from pydantic import ConfigDict, Field, RootModel

from search_spaces.parameters import Choice, Range


class ConditionalRanges(RootModel[Annotated[tuple[Range, ...], Field(min_length=1)]]):
    """Ranges whose conditions exclude each other; a file spells them as a list."""

    model_config = ConfigDict(frozen=True)

    @property
    def ranges(self) -> tuple[Range, ...]:
        """Return all ranges."""
        return self.root

    @property
    def depends_on(self) -> frozenset[str]:
        """Return the knobs that the conditions name."""
        return frozenset().union(*(one.depends_on for one in self.ranges))

    @property
    def extremes(self) -> tuple[float, ...]:
        """Return the ends of all ranges."""
        return tuple(end for one in self.ranges for end in one.extremes)

    def active_in(self, configuration: Mapping[str, Any]) -> Range | None:
        """Return the range that is drawn from under the values chosen so far, None where no condition holds."""
        return next((one for one in self.ranges if one.is_active(configuration)), None)

    def is_active(self, configuration: Mapping[str, Any]) -> bool:
        """Tell whether a condition holds under the values chosen so far."""
        return self.active_in(configuration) is not None

    def check_conditions(self, values: Mapping[str, list[Any]]) -> None:
        """Check that one range is active whatever values the knobs have that the conditions name.

        Raises:
            ValueError: two of them are, or none is; names the values.
        """
        names = sorted(self.depends_on)
        for chosen in product(*(values[name] for name in names)):
            configuration = dict(zip(names, chosen, strict=True))
            active = [number for number, one in enumerate(self.ranges) if one.is_active(configuration)]
            if len(active) == 1:
                continue
            if not names:
                raise ValueError("several ranges need conditions that exclude each other; add when: {...} to each")
            where = ", ".join(f"{name} is {value}" for name, value in configuration.items())
            if active:
                raise ValueError(f"ranges {active[0]} and {active[1]} both hold where {where}; narrow the when: of one")
            first = dict(zip(names, chosen, strict=True))
            raise ValueError(f"no range holds where {where}; {self._with_room_for(first)}")

    def _with_room_for(self, configuration: Mapping[str, Any]) -> str:
        """Return what to type so that the first range holds for a configuration, too."""
        (name, value), *others = configuration.items()
        wanted = (self.ranges[0].when or {}).get(name, [])
        values = [*(wanted if isinstance(wanted, list) else [wanted]), value]
        if others:
            return "add those values to the when: of one"
        return f"such as --set KNOB.0.when.{name}=[{', '.join(map(str, values))}], or one fixed value for all"


Parameter: TypeAlias = Range | Choice | ConditionalRanges


def parameter_kind(raw: Any) -> type[Range] | type[Choice] | type[ConditionalRanges]:
    """Return which kind of parameter a YAML value spells.

    Raises:
        ValueError: it spells none of them.
    """
    if isinstance(raw, list):
        return ConditionalRanges
    if isinstance(raw, dict) and "choice" in raw:
        return Choice
    if isinstance(raw, dict) and ({"low", "high"} & raw.keys()):
        return Range
    raise ValueError(
        "is neither {low: ..., high: ...} nor {choice: [...]}, nor a list of ranges with conditions; a fixed value belongs"
        " under constants"
    )
