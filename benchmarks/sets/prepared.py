"""Every set by name, prepared once: decoded, split into folds, a holdout aside."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.sets.animals import animal_shapes
from benchmarks.sets.digits import mnist, small_digits
from benchmarks.sets.emoji import emoji
from benchmarks.sets.orl import orl_identity
from benchmarks.sets.photographs import faces_or_not, surfaces
from benchmarks.sets.pictures import Picture, write_set
from datasets.preparation import PreparedData, prepare
from datasets.sources.opening import data_options
from storage.rebuilt_folder import cache_root
from trainables.training.images.fold_data import FoldData

FOLDS, SIDE = 5, 40
SMALL_HOLDOUT, LARGE_HOLDOUT = 0.2, 0.45  # a large one tells how good a choice was on fresh pictures
_FACES = {"source": "sample_faces", "people": 60, "scale": 0.25}
_MANY_FACES = {**_FACES, "people": 540}
_HALF_FRESH = {**_FACES, "people": 100, "holdout": 0.5}
DRAWN: dict[str, tuple[str, dict[str, Any]]] = {  # by name: task and data section
    "faces_age": ("age", _FACES),
    "faces_age_large": ("age", _MANY_FACES),
    "faces_mask_large": ("mask", _MANY_FACES),
    "age": ("age", _HALF_FRESH),
    "gender": ("gender", _HALF_FRESH),
    "mask": ("mask", _HALF_FRESH),
}
PACKAGED: dict[str, tuple[Callable[[], Iterator[Picture]], float]] = {  # by name: pictures and holdout
    "orl_identity": (orl_identity, SMALL_HOLDOUT),
    "digits": (partial(small_digits, 600), SMALL_HOLDOUT),
    "small_digits": (partial(small_digits, 700), LARGE_HOLDOUT),
    "mnist": (mnist, LARGE_HOLDOUT),
    "animals": (animal_shapes, LARGE_HOLDOUT),
    "emoji": (emoji, LARGE_HOLDOUT),
    "surfaces": (surfaces, LARGE_HOLDOUT),
    "faces_or_not": (faces_or_not, SMALL_HOLDOUT),
}


def section_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return a set's task and data section; pictures of a package are written below the cache the first time."""
    if name in DRAWN:
        return DRAWN[name]
    pictures, holdout = PACKAGED[name]
    folder = cache_root() / "sets" / name
    if not (folder / "labels.csv").is_file():
        write_set(pictures(), folder)
    labels = str(folder / "labels.csv")
    return "label", {"source": "csv", "file": labels, "person_column": "group", "holdout": holdout}


def prepared(name: str) -> PreparedData:
    """Return a set, split into folds, its holdout aside."""
    task, section = section_of(name)
    return prepare(data_options().validate_python(section), task, FOLDS, SIDE)


def fold_data(name: str) -> FoldData:
    """Return what a trial sees of a set."""
    data = prepared(name)
    return of_rows(data, data.samples())


def fresh_data(name: str) -> FoldData:
    """Return the pictures of a set that no trial sees, all in one fold."""
    data = prepared(name)
    return of_rows(data, data.holdout().assign(fold=0))


def of_rows(data: PreparedData, rows: pd.DataFrame) -> FoldData:
    """Return some of the pictures of a set."""
    return FoldData(
        task=data.task,
        classes=data.classes,
        ids=rows["id"].to_numpy(str),
        folds=rows["fold"].to_numpy(),
        targets=rows["target"].to_numpy(),
        persons=np.unique(rows["person"], return_inverse=True)[1],
        rows=rows["row"].to_numpy(),
        images=data.cache.open(),
        number=data.number,
        numbers=rows["number"].to_numpy() if data.number else None,
    )
