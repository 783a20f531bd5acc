"""What a trial may see: the samples of a study's folder and the shared decoded images. No holdout is in it."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets.decoded.cache import build_cache, is_whole, load_cache
from datasets.errors import DataError
from datasets.images import Pixels
from datasets.numbers import Number
from storage.json_text import load_json
from storage.rebuilt_folder import cache_root
from storage.regular import TABLE, read_text
from studies.metrics import Targets
from trainables.training.heads.task import Task

DECODED = "images.json"  # in a study's folder: the id of every row of its decoded images
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class FoldData:
    """All images outside the holdout: id, fold, target and row in the decoded images."""

    task: str
    classes: tuple[str, ...]
    ids: npt.NDArray[np.str_]
    folds: Rows
    targets: Targets
    persons: Rows  # numbered
    rows: Rows
    images: Pixels  # memory-mapped
    number: Number | None = None  # behind the label
    numbers: npt.NDArray[np.float64] | None = None  # of every image

    @property
    def is_consistent(self) -> bool:
        """Tell whether every fold, class and row of decoded images is one that is there."""
        numbered = ((self.folds, len(self.folds)), (self.targets, len(self.classes)), (self.rows, len(self.images)))
        return all(((numbers >= 0) & (numbers < count)).all() for numbers, count in numbered)

    @property
    def fold_count(self) -> int:
        return int(self.folds.max()) + 1

    def head_task(self, fold: int) -> Task:
        """Return what a head must know of the task when `fold` is left out."""
        return Task(len(self.classes), None if self.number is None else self.number.without(fold))

    def training(self, fold: int) -> Rows:
        """Return the positions of the images to train on when `fold` is left out."""
        return np.flatnonzero(self.folds != fold)

    def validation(self, fold: int) -> Rows:
        """Return the positions of the images of a fold."""
        return np.flatnonzero(self.folds == fold)


def load_fold_data(study: Path) -> FoldData:
    """Return the data of a study from its `data.json` and `samples.csv`."""
    facts = load_json((study / "data.json").read_text(encoding="utf-8"))
    data = _fold_data(study, facts, _rows(study / "samples.csv"))
    if not data.is_consistent:
        raise DataError(
            f"{study / 'samples.csv'}: has a fold, class or row that is not there; restore it, or begin a new study"
        )
    return data


def load_all_data(study: Path) -> FoldData:
    """Return all images of a study, holdout too, in fold 0: what leaves another fold out is trained on everybody.

    Only who will never be scored may learn from it.
    """
    facts = load_json((study / "data.json").read_text(encoding="utf-8"))
    if facts.get("number") is not None:
        facts["number"] = {**facts["number"], "learned": ()}  # nobody is left out
    everyone = [*_rows(study / "samples.csv"), *_rows(study / "holdout.csv")]
    return _fold_data(study, facts, [{**row, "fold": "0"} for row in everyone])


def _rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(read_text(path, TABLE))))


def _fold_data(study: Path, facts: Mapping[str, Any], samples: Sequence[Mapping[str, str]]) -> FoldData:
    columns = {
        name: np.array([int(sample[name]) for sample in samples], dtype=np.int64) for name in ("fold", "target", "row")
    }
    return FoldData(
        task=facts["task"],
        classes=tuple(facts["classes"]),
        ids=np.array([sample["id"] for sample in samples]),
        folds=columns["fold"],
        targets=columns["target"],
        persons=np.unique([sample["person"] for sample in samples], return_inverse=True)[1],
        rows=columns["row"],
        images=decoded_images(study, facts),
        number=None if facts.get("number") is None else Number.model_validate(facts["number"]),
        numbers=np.array([float(sample["number"]) for sample in samples]) if facts.get("number") else None,
    )


def decoded_images(study: Path, facts: Mapping[str, Any]) -> Pixels:
    """Return a study's images, memory-mapped; decoded once on every node that does not have them (any more).

    Raises:
        DataError: the images on this node are others than those the study began with.
    """
    folder = Path(facts["cache"])
    if is_whole(folder):
        return load_cache(folder).open()
    paths = [Path(facts["root"]) / name for name in load_json((study / DECODED).read_text(encoding="utf-8"))]
    cache = build_cache(paths, int(facts["image_size"]), cache_root(), resize=facts["resize"])
    if cache.folder.name != facts["images"]:
        raise DataError(
            f"{facts['root']}: the images here are not those that the study began with; bring them back, or start a new study"
        )
    return cache.open()
