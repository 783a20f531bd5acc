"""Small sets of pictures from packages and from our own code, prepared once: what configurations are judged on in minutes."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.digit_images import write_digits
from benchmarks.orl_faces import lay_out
from datasets.preparation import PreparedData, prepare
from datasets.sources.opening import data_options
from storage.rebuilt_folder import cache_root
from trainables.training.images.fold_data import FoldData

FOLDS, SIDE = 5, 40


def _written(name: str, write: Callable[[Path], object]) -> str:
    """Return the labels of a set that is written once below the cache."""
    folder = cache_root() / "small_sets" / name
    if not (folder / "labels.csv").is_file():
        write(folder)
    return str(folder / "labels.csv")


def sources() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return by name of a set its task and its data section."""
    faces = {"source": "sample_faces", "people": 60, "scale": 0.25}
    many = {**faces, "people": 540}
    return {
        "faces_age_large": ("age", many),
        "faces_mask_large": ("mask", many),
        "faces_age": ("age", faces),
        "faces_gender": ("gender", faces),
        "orl_identity": (
            "label",
            {"source": "csv", "file": _written("orl", lay_out), "split": "by_image"},
        ),
        "digits": ("label", {"source": "csv", "file": _written("digits", write_digits), "split": "by_image"}),
    }


def prepared(name: str) -> PreparedData:
    """Return a set, split into folds, its holdout aside."""
    task, section = sources()[name]
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


if __name__ == "__main__":
    for name in sys.argv[1:] or sources():
        print(f"{name}: {len(prepared(name).samples())} images, {len(prepared(name).classes)} classes")
