"""A recorded set: curves and votes of all configurations, on the folds that all of them have."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.curves import CurveTable
from benchmarks.knowledge.configurations import configurations
from benchmarks.knowledge.record import CHARACTERS, FOLDS, ROWS
from benchmarks.recording import read_rows

RECIPE, RANDOM = "recipe", "random "  # the names of the recipe, and how those of random configurations begin


@dataclass(frozen=True)
class RecordedSet:
    """One set; configurations in the order of the list."""

    name: str
    configurations: tuple[str, ...]
    rows: tuple[tuple[Mapping[str, Any], ...], ...]  # by configuration and fold

    @cached_property
    def table(self) -> CurveTable:
        """Return the curves, each configuration by its name."""
        scores = np.array([[row["curve"] for row in folds] for folds in self.rows], dtype=np.float64)
        seconds = np.array([np.mean([row["sec"] for row in folds]) for folds in self.rows]) / scores.shape[2]
        return CurveTable(self.name, tuple({"config": name} for name in self.configurations), scores, seconds)

    @cached_property
    def final(self) -> npt.NDArray[np.float64]:
        """Return each configuration's score over all folds."""
        return self.table.final

    @cached_property
    def random(self) -> npt.NDArray[np.int64]:
        """Return the places of the random configurations."""
        return np.array([place for place, name in enumerate(self.configurations) if name.startswith(RANDOM)])

    @cached_property
    def truth(self) -> Mapping[str, Any]:
        """Return the classes and persons of the fresh pictures."""
        told: Mapping[str, Any] = json.loads((ROWS / f"{self.name}.truth.json").read_text(encoding="utf-8"))
        return told

    def fresh_votes(self, place: int) -> npt.NDArray[np.int64]:
        """Return what each fold's model of a configuration votes on fresh pictures: folds x pictures."""
        return np.array([decoded(row["votes"]["fresh"]) for row in self.rows[place] if row["votes"]["fresh"]])

    def fresh_difference(self, one: int, other: int, resamples: int = 400) -> tuple[float, float, float]:
        """Return by how much one configuration is ahead of another on fresh pictures, with its 95 % interval.

        The score is macro F1, the mean over the fold models; persons are drawn again, the same for both.
        """
        persons, picture_of = np.unique(self.truth["fresh_persons"], return_inverse=True)
        truth, sides = decoded(self.truth["fresh"]), [self.fresh_votes(place) for place in (one, other)]
        pictures = [np.flatnonzero(picture_of == number) for number in range(len(persons))]
        generator = np.random.default_rng(0)
        draws = [
            np.concatenate([pictures[number] for number in generator.integers(len(persons), size=len(persons))])
            for _ in range(resamples)
        ]
        ahead = [self._ahead(truth[rows], [side[:, rows] for side in sides]) for rows in draws]
        low, high = np.quantile(ahead, [0.025, 0.975])
        return self._ahead(truth, sides), float(low), float(high)

    def _ahead(self, truth: npt.NDArray[np.int64], sides: Sequence[npt.NDArray[np.int64]]) -> float:
        classes = len(self.truth["classes"])
        one, other = (np.mean([macro_f1(truth, votes, classes) for votes in side]) for side in sides)
        return float(one - other)


def recorded_sets() -> Iterator[RecordedSet]:
    """Yield all sets, with the configurations that each of them has on every fold: recording may not have ended yet."""
    found = {file.stem: _by_fold(file) for file in sorted(ROWS.glob("*.jsonl"))}
    names = tuple(
        name
        for name in configurations()
        if all((name, fold) in rows for rows in found.values() for fold in range(FOLDS))
    )
    for stem, rows in found.items():
        yield RecordedSet(stem, names, tuple(tuple(rows[name, fold] for fold in range(FOLDS)) for name in names))


def _by_fold(file: Path) -> dict[tuple[str, int], Mapping[str, Any]]:
    return {(row["config"], row["fold"]): row for row in read_rows(file)}


def decoded(votes: str) -> npt.NDArray[np.int64]:
    """Return the classes that characters stand for."""
    return np.array([CHARACTERS.index(one) for one in votes], dtype=np.int64)


def macro_f1(truth: npt.NDArray[np.int64], votes: npt.NDArray[np.int64], classes: int) -> float:
    """Return macro F1 over the classes that occur in either, from the counts of a confusion matrix."""
    counts = np.bincount(truth * classes + votes, minlength=classes**2).reshape(classes, classes)
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return float((2 * np.diag(counts)[both > 0] / both[both > 0]).mean())
