"""A range and a choice, the two things that a parameter is drawn from, each perhaps under a condition."""

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import Annotated, Any, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Value: TypeAlias = bool | int | float | str | None
Condition: TypeAlias = dict[str, Value | list[Value]]
Weight: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _number(text: Any) -> Any:
    """Return the number that a text spells: YAML takes 1e-1 for a text."""
    try:
        return float(text) if isinstance(text, str) else text
    except ValueError:
        return text


def is_weight(value: Any) -> bool:
    """Tell whether a value says how often something is drawn."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf


class Conditional(BaseModel):
    """What is drawn only where other knobs have certain values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: Condition | None = None
    default: Value = None  # what the known good recipe takes; None: the knob's own default

    def is_active(self, configuration: Mapping[str, Any]) -> bool:
        """Tell whether the condition holds under the values chosen so far."""
        return all(
            configuration.get(name) in (wanted if isinstance(wanted, list) else [wanted])
            for name, wanted in (self.when or {}).items()
        )

    def active_in(self, configuration: Mapping[str, Any]) -> Self | None:
        """Return what is drawn from under the values chosen so far, None where the condition does not hold."""
        return self if self.is_active(configuration) else None

    @property
    def depends_on(self) -> frozenset[str]:
        """Return the knobs that the condition names."""
        return frozenset(self.when or {})


class Range(Conditional):
    """A number from `low` to `high`, both included; `log` for an even spread over magnitudes."""

    low: float
    high: float
    log: bool = False
    step: float | None = Field(None, gt=0)
    integer: bool = False  # set from the knob's type, not by the user

    @field_validator("low", "high", "step", mode="before")
    @classmethod
    def _refuse_truth(cls, value: Any) -> Any:
        """Refuse true and false, which pydantic takes for numbers."""
        if isinstance(value, bool):
            raise ValueError("must be a number")
        return value

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

    @property
    def usual(self) -> Value:
        """Return the default, or else the middle on the range's own scale."""
        return self.at(0.5) if self.default is None else self.default

    @property
    def extremes(self) -> tuple[float, ...]:
        """Return both ends."""
        return self.low, self.high

    def at(self, place: float) -> float:
        """Return the value at a place from 0 to 1 of the range's own scale; whole numbers and steps share it evenly."""
        if self.step is not None:
            return self.nearest(self.low + min(self.steps, int(place * (self.steps + 1))) * self.step)
        low, high = self._ends
        return self.nearest(low * (high / low) ** place if self.log else low + place * (high - low))

    def position(self, value: float) -> float:
        """Return where a value lies, from 0 (`low`) to 1 (`high`) on the range's own scale; values outside go beyond.

        Whole numbers lie in the middle of the places that are theirs.
        """
        low, high = self._ends
        if self.log:
            return math.log(max(value, 1e-300) / low) / math.log(high / low)
        return (value - low) / (high - low)

    @property
    def _ends(self) -> tuple[float, float]:
        """Return both ends, those of whole numbers a half further: so each of them is drawn as often as the others."""
        margin = 0.5 if self.integer and self.step is None else 0.0
        return self.low - margin, self.high + margin


class Choice(Conditional):
    """A value out of a list; `weights` say how often each is drawn by chance, evenly where there are none.

    A file spells weights as a mapping: `choice: {cross_entropy: 3, focal: 1}`.
    """

    choice: Annotated[tuple[Value, ...], Field(min_length=1, max_length=1000)]
    weights: tuple[Weight, ...] | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_mapping(cls, raw: Any) -> Any:
        """Return values and weights apart."""
        if not isinstance(raw, dict) or not isinstance(raw.get("choice"), dict):
            return raw
        weighed = {value: _number(weight) for value, weight in raw["choice"].items()}
        wrong = next((value for value, weight in weighed.items() if not is_weight(weight)), None)
        if wrong is not None:
            raise ValueError(f"choice: the weight of {wrong!r} must be a number of 0 or more (got {weighed[wrong]!r})")
        return {**raw, "choice": tuple(weighed), "weights": tuple(weighed.values())}

    @property
    def usual(self) -> Value:
        """Return the default, or else the first value."""
        return self.choice[0] if self.default is None else self.default

    @property
    def extremes(self) -> tuple[Value, ...]:
        """Return all values."""
        return self.choice

    @property
    def shares(self) -> tuple[float, ...]:
        """Return how often each value is drawn by chance; they sum to one."""
        weights = self.weights or (1.0,) * len(self.choice)
        return tuple(weight / sum(weights) for weight in weights)

    def at(self, place: float) -> Value:
        """Return the value at a place from 0 to 1, of which every value has its share."""
        upto = list(accumulate(self.shares))
        return next((value for value, end in zip(self.choice, upto, strict=True) if place < end), self._last_drawn())

    def _last_drawn(self) -> Value:
        return [value for value, share in zip(self.choice, self.shares, strict=True) if share][-1]

    def nearest(self, value: float) -> Value:
        """Return the number listed that is nearest to a value."""
        numbers = [one for one in self.choice if isinstance(one, int | float)]
        return min(numbers, key=lambda one: abs(one - value)) if numbers else self.choice[0]

    @model_validator(mode="after")
    def _check(self) -> "Choice":
        if len(set(map(repr, self.choice))) < len(self.choice):
            raise ValueError("choice lists a value twice; drop one")
        if self.weights is not None and len(self.weights) != len(self.choice):
            raise ValueError("weights are as many as the values of the choice; write them as choice: {VALUE: WEIGHT}")
        if self.weights is not None and not any(self.weights):
            raise ValueError("choice: all weights are 0, so nothing could be drawn; raise one")
        return self

    def contains(self, value: Any) -> bool:
        """Tell whether `value` is one of the values listed."""
        return value in self.choice
