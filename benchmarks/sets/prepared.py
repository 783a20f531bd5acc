"""Every set by name, prepared once: decoded, split into folds, a holdout aside."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

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
_FACES = {"source": "sample_faces", "people": 60, "scale": 0.25}
_MANY_FACES = {**_FACES, "people": 540}
DRAWN: dict[str, tuple[str, dict[str, Any]]] = {  # by name: task and data section
    "faces_age": ("age", _FACES),
    "faces_gender": ("gender", _FACES),
    "faces_mask": ("mask", _FACES),
    "faces_age_large": ("age", _MANY_FACES),
    "faces_mask_large": ("mask", _MANY_FACES),
}
PACKAGED: dict[str, Callable[[], Iterator[Picture]]] = {
    "orl_identity": orl_identity,
    "digits": small_digits,
    "mnist": mnist,
    "animals": animal_shapes,
    "emoji": emoji,
    "surfaces": surfaces,
    "faces_or_not": faces_or_not,
}


def section_of(name: str) -> tuple[str, dict[str, Any]]:
    """Return a set's task and data section; pictures of a package are written below the cache the first time."""
    if name in DRAWN:
        return DRAWN[name]
    folder = cache_root() / "sets" / name
    if not (folder / "labels.csv").is_file():
        write_set(PACKAGED[name](), folder)
    return "label", {"source": "csv", "file": str(folder / "labels.csv"), "person_column": "group"}


def prepared(name: str) -> PreparedData:
    """Return a set, split into folds, its holdout aside."""
    task, section = section_of(name)
    return prepare(data_options().validate_python(section), task, FOLDS, SIDE)


def fold_data(name: str) -> FoldData:
    """Return what a trial sees of a set."""
    data = prepared(name)
    samples = data.samples()
    return FoldData(
        task=data.task,
        classes=data.classes,
        ids=samples["id"].to_numpy(str),
        folds=samples["fold"].to_numpy(),
        targets=samples["target"].to_numpy(),
        persons=np.unique(samples["person"], return_inverse=True)[1],
        rows=samples["row"].to_numpy(),
        images=data.cache.open(),
        number=data.number,
        numbers=samples["number"].to_numpy() if data.number else None,
    )
