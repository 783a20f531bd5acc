"""One interface to all sources: options in, a Table out."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from datasets.errors import DataError
from datasets.options import Competition, Csv, DataOptions, Folder, SampleFaces
from datasets.sources.competition import read_competition
from datasets.sources.own import read_csv, read_folder
from datasets.sources.sample_faces import sample_faces_root
from datasets.table import Table
from storage.rebuilt_folder import cache_root

Progress = Callable[[int, int], None]


def open_source(options: DataOptions, progress: Progress | None = None) -> Table:
    """Return the table of a data source; sample faces are drawn first if they are not there yet.

    Raises:
        DataError: the data is not what the options promise; names file, row and way out.
    """
    table = _read(options, progress)
    if table.has_persons or "fold" in table.frame:
        return table
    if options.split == "by_person":
        raise DataError(
            "the data names no persons, so the same person could stand on both sides of a split;"
            " name the column with data.person_column, or say data.split=by_image if every image stands for itself"
        )
    return table


def _read(options: DataOptions, progress: Progress | None) -> Table:
    match options:
        case SampleFaces():
            root = sample_faces_root(
                cache_root(), options.people, options.seed, options.shares, options.scale, progress
            )
            return read_competition(root, ())
        case Competition():
            return read_competition(Path(options.root).absolute(), options.corrections)
        case Csv():
            return read_csv(options)
        case Folder():
            return read_folder(Path(options.root).absolute())


def guess_source(place: str) -> dict[str, Any]:
    """Return the data section for what `--data` names: sample_faces, a CSV, a competition or class folder."""
    if place == "sample_faces":
        return {"source": "sample_faces"}
    path = Path(place)
    if path.is_file():
        return {"source": "csv", "file": place}
    if not path.is_dir():
        raise DataError(f"--data {place}: no such file or folder (or say sample_faces)")
    for table in (path / "train" / "train.csv", path / "train.csv"):
        if table.is_file() and {"id", "gender", "age", "path"} <= set(_header(table)):
            return {"source": "competition", "root": place}
    return {"source": "folder", "root": place}


def _header(path: Path) -> list[str]:
    """Return the column names in the first line, also behind a byte-order mark."""
    with open(path, newline="", encoding="utf-8-sig", errors="replace") as file:
        return next(csv.reader(file), [])
