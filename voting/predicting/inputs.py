"""What predict.py is pointed at: images in a folder or listed in a CSV, and labels to compare with."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datasets.images import is_image
from datasets.sources.competition_layout import labels_of
from studies.metrics import Targets
from voting.bundle.specs import BundleError, TaskSpec

_PATH_COLUMNS = ("path", "id", "image", "ImageID")


@dataclass(frozen=True)
class Images:
    """Image files and the names they go by; `info` is the competition's list to be filled in, if there is one."""

    names: tuple[str, ...]
    paths: tuple[Path, ...]
    info: Path | None = None


def find_images(place: Path) -> Images:
    """Return the images of a folder (searched below, too), of a CSV, or of the competition's eval folder.

    Raises:
        BundleError: there is nothing to vote on, or a listed file is missing.
    """
    if (place / "info.csv").is_file():
        place = place / "info.csv"
    if place.is_dir():
        paths = sorted(path for path in place.rglob("*") if is_image(path) and not _hidden(path, place))
        if not paths:
            raise BundleError(
                f"{place}: holds no images; point --images at a folder of images or a CSV that lists them"
            )
        return Images(tuple(path.relative_to(place).as_posix() for path in paths), tuple(paths))
    if not place.is_file():
        raise BundleError(f"--images {place}: no such folder or CSV")
    rows = _read_rows(place)
    column = _path_column(place, rows[0])
    root = place.parent / "images" if column == "ImageID" else place.parent
    names = tuple(row[column] for row in rows)
    return Images(names, tuple(_below(root, name, place) for name in names), place if column == "ImageID" else None)


def read_labels(place: Path, images: Images, tasks: Sequence[TaskSpec]) -> dict[str, Targets]:
    """Return class numbers per task for the images, from a CSV or from a labelled folder's names.

    A CSV has a path column and a column per task (or `target` with a single task), in class names or
    numbers. A folder is labelled by the competition's names or by class-named subfolders.

    Raises:
        BundleError: an image has no label, or a label is unknown.
    """
    if place.is_dir():
        found = {name: _labels_by_name(place / name, tasks) for name in images.names if (place / name).is_file()}
    elif place.is_file():
        rows = _read_rows(place)
        column = _path_column(place, rows[0])
        found = {row[column]: _labels_of_row(row, tasks, place) for row in rows}
    else:
        raise BundleError(f"--labels {place}: no such folder or CSV")
    missing = [name for name in images.names if not found.get(name)]
    if missing:
        raise BundleError(
            f"{place}: has no label for {missing[0]} ({len(missing)} images in all); label all or leave --labels out"
        )
    labelled = [task.task for task in tasks if all(task.task in found[name] for name in images.names)]
    return {task: np.array([found[name][task] for name in images.names], dtype=np.int64) for task in labelled}


def write_submission(images: Images, classes: Targets, out: Path) -> None:
    """Write the competition's info.csv with `ans` filled in, rows in its own order."""
    with open(out, "w", newline="", encoding="utf-8", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow(["ImageID", "ans"])
        writer.writerows(zip(images.names, classes.tolist(), strict=True))


def _labels_by_name(path: Path, tasks: Sequence[TaskSpec]) -> dict[str, int]:
    if labels := labels_of(path):
        return labels
    return {task.task: task.classes.index(path.parent.name) for task in tasks if path.parent.name in task.classes}


def _labels_of_row(row: Mapping[str, str], tasks: Sequence[TaskSpec], place: Path) -> dict[str, int]:
    """Return a row's class numbers; a column `target` holds numbers, a task's column names (or numbers, if no name is one)."""
    labels = {}
    for task in tasks:
        if task.task in row:
            numbered = not any(name.isdecimal() for name in task.classes)
            labels[task.task] = _class_number(row[task.task], task, place, named=True, numbered=numbered)
        elif "target" in row and len(tasks) == 1:
            labels[task.task] = _class_number(row["target"], task, place, named=False, numbered=True)
    return labels


def _class_number(label: str, task: TaskSpec, place: Path, *, named: bool, numbered: bool) -> int:
    if named and label in task.classes:
        return task.classes.index(label)
    if numbered and label.isdecimal() and int(label) < len(task.classes):
        return int(label)
    raise BundleError(f"{place}: unknown label {label!r} of {task.task}; it is one of {', '.join(task.classes)}")


def _read_rows(place: Path) -> list[dict[str, str]]:
    try:
        with open(place, newline="", encoding="utf-8-sig") as file:
            rows = [{name: cell or "" for name, cell in row.items() if name} for row in csv.DictReader(file)]
    except (csv.Error, UnicodeDecodeError) as error:
        raise BundleError(f"{place}: is no readable CSV ({error})") from None
    if not rows:
        raise BundleError(f"{place}: the table is empty; the first line names the columns, then one row per image")
    return rows


def _path_column(place: Path, row: Mapping[str, str]) -> str:
    column = next((column for column in _PATH_COLUMNS if column in row), None)
    if column is None:
        raise BundleError(f"{place}: needs a column {' or '.join(_PATH_COLUMNS)}; it has {', '.join(row)}")
    return column


def _below(root: Path, name: str, place: Path) -> Path:
    if "\0" in name:
        raise BundleError(f"{place}: the path {name!r} is none; fix it or remove the row")
    path = root / name
    if not path.resolve().is_relative_to(root.resolve()):
        raise BundleError(f"{place}: the path {name!r} leaves {root}; give paths below it")
    if not path.is_file():
        raise BundleError(f"{place}: there is no file {path}; fix the path or remove the row")
    return path


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)
