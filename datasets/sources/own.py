"""Own data: any CSV with a path column, and class-named subfolders."""

from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path

import pandas as pd

from datasets.errors import DataError
from datasets.images import is_image
from datasets.numbers import class_of, names_of
from datasets.options import Csv
from datasets.table import Numbered, Table, inside, read_table, tidy


def read_csv(options: Csv) -> Table:
    """Return the table of a CSV: path column, label columns, perhaps person and fold columns."""
    file = Path(options.file).absolute()
    if not file.is_file():
        raise DataError(f"{file}: no such file; set data.file to your CSV")
    rows = read_table(file)
    _check_columns(options, list(rows.columns), file)
    taken = sorted({"id", "person", "fold"} & set(options.labels))
    if taken:
        raise DataError(
            f"{file}: a label column cannot be called {taken[0]!r}; rename it, for example to {taken[0]}_label"
        )
    _check_filled(
        rows, [column for column in (*options.labels, options.person_column, options.fold_column) if column], file
    )
    root = Path(options.root).absolute() if options.root else file.parent
    ids = [inside(root, name, f"{file}: row {row}") for row, name in enumerate(rows[options.path_column], 2)]
    _check_once(ids, file)
    frame = pd.DataFrame({"id": ids, "person": rows[options.person_column] if options.person_column else ids})
    classes, numbers = {}, {}
    for task in options.labels:
        if task in options.bins:
            numbers[task] = Numbered(f"{task} (number)", options.bins[task])
            frame[numbers[task].column] = _numbers(rows[task], file, task)
            classes[task] = names_of(options.bins[task])
            frame[task] = class_of(frame[numbers[task].column], options.bins[task])
        else:
            classes[task], frame[task] = _encode(rows[task], file, task, options.ordered.get(task))
    if options.fold_column:
        frame["fold"] = rows[options.fold_column]
    has_persons = options.person_column is not None
    return Table(root, tidy(frame), classes, has_persons, numbers=numbers, ordered=tuple(options.ordered))


def read_folder(root: Path) -> Table:
    """Return the table of class-named subfolders; its one task is `label`."""
    if not root.is_dir():
        raise DataError(f"{root}: no such folder; set data.root to a folder with one subfolder per class")
    folders = sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith("."))
    if len(folders) == 1:
        raise DataError(f"{root}: holds the single class {folders[0].name!r}; a classifier needs two subfolders")
    rows = [
        (path.relative_to(root).as_posix(), number)
        for number, folder in enumerate(folders)
        for path in folder.rglob("*")
        if is_image(path)
    ]
    frame = tidy(pd.DataFrame(rows, columns=["id", "label"]))
    frame["person"] = frame["id"]
    return Table(root, frame, {"label": tuple(folder.name for folder in folders)}, False)


def _check_columns(options: Csv, columns: list[str], file: Path) -> None:
    """Refuse a column that is not there, with what to type to name another."""
    there = f"it has {', '.join(columns)}"
    rest = [name for name in columns if name not in (options.path_column, options.person_column, options.fold_column)]
    one = rest[-1] if rest else "COLUMN"
    ways = {
        "path_column": f"name yours with --set data.path_column={columns[0]}",
        "person_column": f"name yours with --set data.person_column={one}",
        "fold_column": f"name yours with --set data.fold_column={one}",
    }
    for option, way in ways.items():
        column = getattr(options, option)
        if column is not None and column not in columns:
            raise DataError(f"{file}: has no column {column!r} ({option}); {there}; {way}")
    for column in options.labels:
        if column not in columns:
            raise DataError(
                f"{file}: has no column {column!r}; {there}; name the label with --set data.labels={one} --set task={one}"
            )


def _check_filled(rows: pd.DataFrame, columns: list[str], file: Path) -> None:
    for column in columns:
        rows[column] = rows[column].str.strip()
        for row, cell in enumerate(rows[column], 2):
            if not cell:
                raise DataError(
                    f"{file}: row {row}: the cell in column {column!r} is empty; fill it in or remove the row"
                )


def _check_once(ids: list[str], file: Path) -> None:
    first: dict[str, int] = {}
    for row, name in enumerate(ids, 2):
        if name in first:
            raise DataError(
                f"{file}: row {row}: the path {name!r} is listed twice (also in row {first[name]}); keep one row"
            )
        first[name] = row


def _numbers(cells: pd.Series, file: Path, task: str) -> list[float]:
    """Return a column of numbers."""
    numbers = []
    for row, cell in enumerate(cells, 2):
        try:
            number = float(cell)
        except ValueError:
            number = nan
        if not isfinite(number):
            raise DataError(f"{file}: row {row}: {cell!r} in column {task!r} is no number; fix it, or drop data.bins")
        numbers.append(number)
    return numbers


def _encode(
    labels: pd.Series, file: Path, task: str, stated: Sequence[str] | None
) -> tuple[tuple[str, ...], list[int]]:
    """Return class names in the order stated, else the natural one (numbers as numbers), and every row's class number."""
    names = sorted(set(labels), key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))
    if stated is not None:
        if sorted(stated) != sorted(names):
            raise DataError(
                f"{file}: column {task!r} holds {', '.join(names)}; data.ordered.{task} must list exactly these, lowest first"
            )
        names = list(stated)
    if len(names) < 2:
        raise DataError(f"{file}: column {task!r} holds the single class {names[0]!r}; a classifier needs two")
    numbers = {name: number for number, name in enumerate(names)}
    return tuple(names), [numbers[label] for label in labels]
