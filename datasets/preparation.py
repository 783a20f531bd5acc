"""From data options to what a study learns from: table, splits and decoded images."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from datasets.decoded.cache import ImageCache, build_cache
from datasets.errors import DataError
from datasets.images import Resize
from datasets.numbers import Number
from datasets.options import SplitOptions
from datasets.sources.opening import open_source
from datasets.splits import Splits, check_classes, make_splits
from datasets.table import Table
from storage.rebuilt_folder import cache_root

NUMBER = "number"  # the column of samples.csv with the number behind the label
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class PreparedData:
    """Everything of one task of one data set that a study needs."""

    table: Table
    splits: Splits
    cache: ImageCache
    task: str
    rows: tuple[int, ...]  # of the cache, one for each row of the table
    decoded: tuple[str, ...]  # the id of every row of the cache, unreadable ones too
    resize: Resize = "squeeze"

    @property
    def classes(self) -> tuple[str, ...]:
        return self.table.classes_of(self.task)

    @property
    def number(self) -> Number | None:
        """Return borders and statistics of the number behind the task's label, None if there is none."""
        if self.task not in self.table.numbers:
            return None
        samples = self.samples()
        borders = self.table.numbers[self.task].borders
        return Number.of(samples[NUMBER].to_numpy(), borders, samples["fold"].to_numpy())

    def samples(self) -> pd.DataFrame:
        """Return what trials may see: id, person, fold, target and cache row of every image outside the holdout."""
        everything = self._everything()
        return everything[everything["fold"] >= 0].reset_index(drop=True)

    def holdout(self) -> pd.DataFrame:
        """Return the images of the persons set aside; only the export reads them."""
        everything = self._everything()
        return everything[everything["fold"] < 0].drop(columns="fold").reset_index(drop=True)

    def facts(self) -> dict[str, Any]:
        """Return what a study keeps about its data: `images` and `labels` identify it, `cache` is where they lie decoded."""
        return {
            "task": self.task,
            "labels": self._labels_digest(),
            "classes": list(self.classes),
            "root": str(self.table.root),
            "number": None if self.number is None else self.number.model_dump(mode="json"),
            "ordered": self.number is not None or self.task in self.table.ordered,
            "image_size": self.cache.image_size,
            "resize": self.resize,
            "images": self.cache.folder.name,
            "cache": str(self.cache.folder),
            "notes": list(self.table.notes),
        }

    def _labels_digest(self) -> str:
        """Return a hash of every image's person, place and label: relabelled data is other data."""
        everything = self._everything()
        known = [name for name in ("id", "person", "fold", "target", NUMBER) if name in everything]
        labels = everything[known].to_csv(index=False)
        return hashlib.sha256(f"{self.classes}{labels}".encode()).hexdigest()[:16]

    def counts(self) -> dict[str, tuple[int, dict[str, int]]]:
        """Return persons, and images by class, of every fold and of the holdout."""
        everything = self._everything()
        counted = {}
        for fold in sorted(everything["fold"].unique()):
            part = everything[everything["fold"] == fold]
            by_class = part["target"].value_counts()
            images = {name: int(by_class.get(number, 0)) for number, name in enumerate(self.classes)}
            counted["holdout" if fold < 0 else f"fold {fold + 1}"] = (part["person"].nunique(), images)
        return counted

    def _everything(self) -> pd.DataFrame:
        frame = self.table.frame
        unit = "id" if self.splits.split == "by_image" else "person"
        everything = pd.DataFrame(
            {
                "id": frame["id"],
                "person": frame["person"],
                "fold": frame[unit].map(self.splits.place_of()),
                "target": frame[self.task],
                "row": np.array(self.rows, dtype=int),
            }
        )
        if self.task in self.table.numbers:
            everything[NUMBER] = frame[self.table.numbers[self.task].column].astype(float)
        return everything


def prepare(
    options: SplitOptions, task: str, folds: int, image_size: int, progress: Progress | None = None
) -> PreparedData:
    """Read the source, decode its images once, and fix folds and holdout.

    Raises:
        DataError: before any training, with file, row and way out.
    """
    table = open_source(options, _labelled(progress, "drawing sample faces"))
    table.classes_of(task)
    decoding = _labelled(progress, "decoding images")
    cache = build_cache(table.paths(), image_size, cache_root(), decoding, options.resize)
    decoded, bad = tuple(table.frame["id"]), [row for row, _ in cache.unreadable]
    rows = tuple(sorted(set(range(cache.count)) - set(bad)))
    if bad:
        table = _without_unreadable(table, cache, options)
    splits = make_splits(table, options, folds)
    check_classes(table, splits, task)
    return PreparedData(table, splits, cache, task, rows, decoded, options.resize)


def _without_unreadable(table: Table, cache: ImageCache, options: SplitOptions) -> Table:
    if options.skip_unreadable:
        note = f"{len(cache.unreadable)} unreadable images left out"
        return table.without([row for row, _ in cache.unreadable], note)
    shown = "\n  ".join(reason for _, reason in cache.unreadable[:20])
    more = f"\n  and {len(cache.unreadable) - 20} more" if len(cache.unreadable) > 20 else ""
    raise DataError(
        f"{len(cache.unreadable)} of {cache.count} images cannot be read:\n  {shown}{more}\n"
        "Mend or remove them, or leave them out with --skip-unreadable."
    )


def _labelled(progress: Progress | None, label: str) -> Callable[[int, int], None] | None:
    return None if progress is None else lambda done, total: progress(label, done, total)
