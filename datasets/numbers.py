"""The number behind a label, such as the age behind an age group: where classes begin, and how numbers are spread."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, model_validator

_QUANTILES = 40  # of every class


class Spread(BaseModel):
    """How often which numbers occur: some of every class, however rare, each with its share of all images."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    values: tuple[float, ...]
    shares: tuple[float, ...]  # they sum to 1

    @classmethod
    def of(cls, numbers: npt.ArrayLike, borders: Sequence[float]) -> Self:
        """Return the spread of numbers by evenly spaced quantiles of every class."""
        every = np.asarray(numbers, float)
        classes = np.searchsorted(np.asarray(borders, float), every, side="right")
        values, shares = list[float](), list[float]()
        for members in (every[classes == one] for one in np.unique(classes)):
            count = min(len(members), _QUANTILES)
            places = (np.arange(count) + 0.5) / count
            values += np.quantile(members, places, method="inverted_cdf").tolist()
            shares += [len(members) / len(every) / count] * count
        return cls(values=tuple(values), shares=tuple(shares))


class Number(BaseModel):
    """Borders between neighbouring classes, and statistics of the images outside the holdout, in the number's own unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    borders: tuple[float, ...]  # a class begins at its border
    mean: float
    std: float
    low: float
    high: float
    spread: Spread
    learned: tuple[Spread, ...] = ()  # by the fold left out: what its model learns from

    @model_validator(mode="before")
    @classmethod
    def _read_quantiles(cls, given: Any) -> Any:
        """Take what an older version wrote, a hundred quantiles of all numbers."""
        if not isinstance(given, dict) or "quantiles" not in given:
            return given
        values = given["quantiles"]
        spread = {"values": values, "shares": [1 / len(values)] * len(values)}
        return {**{name: value for name, value in given.items() if name != "quantiles"}, "spread": spread}

    @classmethod
    def of(
        cls, numbers: npt.ArrayLike, borders: Sequence[float], folds: npt.NDArray[np.int64] | None = None
    ) -> "Number":
        """Return the statistics of numbers, and what is left of them without each of the folds."""
        values = np.asarray(numbers, float)
        held_out = [] if folds is None else [folds == fold for fold in range(int(folds.max()) + 1)]
        low, high = min(values.min(), *borders), max(values.max(), *borders)
        return cls(
            borders=tuple(borders),
            mean=float(values.mean()),
            std=float(values.std()) or 1.0,
            low=float(low),
            high=float(high),
            spread=Spread.of(values, borders),
            learned=tuple(Spread.of(values[~held], borders) for held in held_out),
        )

    def without(self, fold: int) -> "Number":
        """Return the number as the model knows it that learns from all folds but one."""
        return self.model_copy(update={"spread": self.learned[fold]}) if self.learned else self

    def scaled(self, numbers: Any) -> Any:
        """Return numbers (a float, an array or a tensor) in standard deviations from the mean."""
        return (numbers - self.mean) / self.std

    def unscaled(self, scaled: Any) -> Any:
        """Return numbers in their own unit."""
        return scaled * self.std + self.mean


def class_of(numbers: npt.ArrayLike, borders: Sequence[float]) -> list[int]:
    """Return the class of every number; one that is equal to a border belongs to the class above it."""
    return [
        int(place) for place in np.searchsorted(np.asarray(borders, float), np.asarray(numbers, float), side="right")
    ]


def names_of(borders: Sequence[float]) -> tuple[str, ...]:
    """Return the names of the classes between borders."""
    spelled = [str(int(border)) if border == int(border) else str(border) for border in borders]
    inner = [f"{low} to under {high}" for low, high in pairwise(spelled)]
    return (f"under {spelled[0]}", *inner, f"{spelled[-1]} and over")
