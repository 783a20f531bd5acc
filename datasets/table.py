"""The table every source yields: one row an image, one column a task."""

import csv
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from datasets.errors import DataError


@dataclass(frozen=True)
class Numbered:
    """Where the number behind a task's label stands, and at which numbers a new class begins."""

    column: str
    borders: tuple[float, ...]


@dataclass(frozen=True)
class Table:
    """Images, persons and labels.

    `frame` has the columns id (path below root, with forward slashes), person, one column of class
    numbers per task, perhaps columns with the number behind a label, and `fold` (the user's own). Rows are sorted by id.
    """

    root: Path
    frame: pd.DataFrame
    classes: dict[str, tuple[str, ...]]
    has_persons: bool
    notes: tuple[str, ...] = field(default=())
    numbers: Mapping[str, Numbered] = field(default_factory=dict)  # of tasks with a number behind the label
    ordered: tuple[str, ...] = ()  # further tasks whose classes have an order

    def __post_init__(self) -> None:
        if self.frame.empty:
            raise DataError(f"{self.root}: no images found; point the data section at a labelled image set")
        twice = self.frame["id"][self.frame["id"].duplicated()]
        if not twice.empty:
            raise DataError(f"{self.root}: the path {twice.iloc[0]!r} is listed twice; keep one row per image")

    def paths(self) -> list[Path]:
        """Return the absolute path of every row."""
        return [self.root / name for name in self.frame["id"]]

    def classes_of(self, task: str) -> tuple[str, ...]:
        """Return the class names of a task.

        Raises:
            DataError: there is no such task; lists those that exist.
        """
        if task not in self.classes:
            raise DataError(
                f"the data has no task {task!r}; it has: {', '.join(self.classes)}; choose one with"
                f" --set task={next(iter(self.classes))}"
            )
        return self.classes[task]

    def without(self, rows: Sequence[int], note: str) -> "Table":
        """Return the table less some rows, with a note that says so."""
        return replace(self, frame=self.frame.drop(index=list(rows)).reset_index(drop=True), notes=(*self.notes, note))


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows sorted by id, so that nothing depends on a directory's order."""
    return frame.sort_values("id", kind="stable").reset_index(drop=True)


def inside(root: Path, name: str, where: str) -> str:
    """Return a path from a file as an id below `root`.

    Raises:
        DataError: it leaves the root, or there is no such file; `where` names file and row.
    """
    if "\0" in name:
        raise DataError(f"{where}: the path {name!r} is none; fix it or remove the row")
    path = Path(os.path.normpath(root / name))  # a/../b.jpg is b.jpg: one image, one id
    resolved, base = path.resolve(), root.resolve()
    if not resolved.is_relative_to(base):
        raise DataError(f"{where}: the path {name!r} leaves {root}; give paths below it, or another root")
    if not resolved.is_file():
        raise DataError(f"{where}: there is no file {path}; fix the path or remove the row")
    return (
        (path if path.is_relative_to(root) else resolved)
        .relative_to(root if path.is_relative_to(root) else base)
        .as_posix()
    )


def _check_header(file: Path) -> None:
    with open(file, newline="", encoding="utf-8-sig") as opened:
        names = Counter(next(csv.reader(opened), []))
    twice = next((name for name, count in names.items() if name and count > 1), None)
    if twice is not None:
        raise DataError(f"{file}: has the column {twice!r} twice; rename one of them")


def read_table(file: Path) -> pd.DataFrame:
    """Return a CSV's rows, every cell as text.

    Raises:
        DataError: it is no CSV, has a column twice, or is empty.
    """
    try:
        _check_header(file)
        rows = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig")  # some begin with a mark
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise DataError(
            f"{file}: is no readable CSV ({str(error).strip()}); the first line must name the columns"
        ) from None
    if rows.empty:
        raise DataError(f"{file}: the table is empty; it needs one row per image")
    return rows
