"""The small studies: which tasks, how many persons, and the pictures of theirs and of fresh persons."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

import numpy as np

from benchmarks.sets.prepared import fold_data, fresh_data, of_rows
from datasets.preparation import prepare
from datasets.sources.opening import data_options
from trainables.training.images.fold_data import FoldData

TASKS = ("age", "gender", "mask")
PERSONS = (60, 60, 90, 90, 120, 150, 200, 300)
SETS, SET_SEEDS = ("animals", "small_digits"), (0, 1, 2)  # real pictures; fresh ones are the set's holdout
FRESH, FRESH_SEED = 2_000, 9_000
FOLDS, SIDE = 5, 32
_KINDS = ("normal", "mask1", "incorrect_mask")  # of a person's seven pictures, one of every class of mask


@dataclass(frozen=True)
class SmallStudy:
    """One study; those of one seed are of the same persons."""

    task: str  # or the name of a set
    persons: int  # 0: all of a set
    seed: int

    @property
    def name(self) -> str:
        return f"{self.task}, {self.persons} persons, seed {self.seed}"


def small_studies() -> Iterator[SmallStudy]:
    """Yield all studies, so that some of every task and size are there early."""
    for seed, persons in enumerate(PERSONS):
        yield from (SmallStudy(task, persons, seed) for task in TASKS)


def set_studies() -> Iterator[SmallStudy]:
    """Yield the studies of real pictures."""
    yield from (SmallStudy(name, 0, seed) for seed in SET_SEEDS for name in SETS)


def pictures(study: SmallStudy) -> FoldData:
    """Return the pictures of a study's persons, in folds."""
    return fold_data(study.task) if study.task in SETS else _faces(study.task, study.persons, 100 + study.seed)


@cache
def fresh_pictures(task: str) -> FoldData:
    """Return the pictures of persons whom no study has."""
    return fresh_data(task) if task in SETS else _faces(task, FRESH, FRESH_SEED)


def _faces(task: str, people: int, seed: int) -> FoldData:
    section = {"source": "sample_faces", "people": people, "seed": seed, "scale": 0.25, "holdout": 0}
    data = prepare(data_options().validate_python(section), task, FOLDS, SIDE)
    rows = data.samples()
    kept = np.isin([PurePosixPath(name).stem for name in rows["id"]], _KINDS)
    return of_rows(data, rows[kept])
