"""The number behind a label, such as the age behind an age group: where classes begin, and how numbers are spread."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

_QUANTILES = 100


class Number(BaseModel):
    """Borders between neighbouring classes, and statistics of the images outside the holdout, in the number's own unit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    borders: tuple[float, ...]  # a class begins at its border
    mean: float
    std: float
    low: float
    high: float
    quantiles: tuple[float, ...]  # a hundred, evenly spaced: how often which numbers occur

    @classmethod
    def of(cls, numbers: npt.ArrayLike, borders: Sequence[float]) -> "Number":
        """Return the statistics of numbers."""
        values = np.asarray(numbers, float)
        low, high = min(values.min(), *borders), max(values.max(), *borders)
        return cls(
            borders=tuple(borders),
            mean=float(values.mean()),
            std=float(values.std()) or 1.0,
            low=float(low),
            high=float(high),
            quantiles=tuple(float(value) for value in np.quantile(values, (np.arange(_QUANTILES) + 0.5) / _QUANTILES)),
        )

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
    inner = [f"{low:g} to under {high:g}" for low, high in pairwise(borders)]
    return (f"under {borders[0]:g}", *inner, f"{borders[-1]:g} and over")
