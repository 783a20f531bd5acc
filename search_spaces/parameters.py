"""The two kinds of parameter: a range and a choice, each perhaps under a condition."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Value: TypeAlias = bool | int | float | str | None
Condition: TypeAlias = dict[str, Value | list[Value]]


class _Parameter(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Condition | None = None
    default: Value = None  # what the known good recipe takes; None: the knob's own default

    def is_active(self, configuration: Mapping[str, Any]) -> bool:
        """Tell whether the condition holds under the values chosen so far."""
        return all(
            configuration.get(name) in (wanted if isinstance(wanted, list) else [wanted])
            for name, wanted in (self.when or {}).items()
        )


class Range(_Parameter):
    """A number from `low` to `high`, both included; `log` for an even spread over magnitudes."""

    low: float
    high: float
    log: bool = False
    step: float | None = Field(None, gt=0)
    integer: bool = False  # set from the knob's type, not by the user

    @model_validator(mode="after")
    def _check(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(
                f"low must be below high, but {self.low:g} >= {self.high:g}; fix one, or make it a constant"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"log needs low above 0, but low is {self.low:g}; raise low or drop log")
        if self.log and self.step is not None:
            raise ValueError("log and step exclude each other; drop one")
        return self

    def contains(self, value: Any) -> bool:
        """Tell whether `value` may come out of this range."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        if self.integer and value != int(value):
            return False
        steps = 0.0 if self.step is None else (value - self.low) / self.step
        return abs(steps - round(steps)) < 1e-9

    def nearest(self, value: float) -> float:
        """Return the value nearest to one that may lie outside."""
        inside = min(max(value, self.low), self.high)
        if self.step is None:
            return round(inside) if self.integer else inside
        stepped = self.low + min(round((inside - self.low) / self.step), self.steps) * self.step
        return round(stepped) if self.integer else stepped

    @property
    def steps(self) -> int:
        """Return how many steps there are from `low` to the last value of a range with a step."""
        assert self.step is not None
        return math.floor((self.high - self.low) / self.step + 1e-9)

    def position(self, value: float) -> float:
        """Return where a value lies, from 0 (`low`) to 1 (`high`) on the range's own scale; values outside go beyond."""
        if self.log:
            return math.log(max(value, 1e-300) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


class Choice(_Parameter):
    """One of the values listed."""

    choice: Annotated[tuple[Value, ...], Field(min_length=1)]

    def nearest(self, value: float) -> Value:
        """Return the number listed that is nearest to a value."""
        numbers = [one for one in self.choice if isinstance(one, int | float)]
        return min(numbers, key=lambda one: abs(one - value)) if numbers else self.choice[0]

    @model_validator(mode="after")
    def _check(self) -> "Choice":
        if len(set(map(repr, self.choice))) < len(self.choice):
            raise ValueError("choice lists a value twice; drop one")
        return self

    def contains(self, value: Any) -> bool:
        """Tell whether `value` is one of the values listed."""
        return value in self.choice


Parameter: TypeAlias = Range | Choice


def parameter_kind(raw: Any) -> type[Range] | type[Choice]:
    """Return which kind of parameter a YAML value spells.

    Raises:
        ValueError: it spells neither.
    """
    if isinstance(raw, dict) and "choice" in raw:
        return Choice
    if isinstance(raw, dict) and ({"low", "high"} & raw.keys()):
        return Range
    raise ValueError("is neither {low: ..., high: ...} nor {choice: [...]}; a fixed value belongs under constants")
