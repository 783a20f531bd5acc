"""The mask competition's training set: its layout, its traps, its known label errors."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from datasets.errors import DataError
from datasets.images import is_image
from datasets.numbers import class_of
from datasets.sources.competition_layout import AGE_BORDERS, CLASSES, MASK_OF_STEM
from datasets.table import Numbered, Table, inside, read_table, tidy
from storage.safe_yaml import load_yaml

_COLUMNS = ("id", "gender", "race", "age", "path")
AGE = Numbered("years", AGE_BORDERS)
_CORRECTIONS = Path(__file__).with_name("corrections.yaml")


def read_competition(root: Path, corrections: Sequence[str]) -> Table:
    """Return the table of `root`/train (or `root` itself); a person is a folder, for the id is no key."""
    base = root / "train" if (root / "train").is_dir() else root
    people = _read_people(base / "train.csv")
    fixes = _load_corrections(corrections)
    rows = [row for number, person in people.iterrows() for row in _images_of(base, person, int(str(number)) + 2)]
    frame = tidy(pd.DataFrame(rows, columns=["id", "csv_id", "person", "mask", "gender", "years"]))
    notes = [_apply(frame, name, fixes[name]) for name in corrections]
    frame["age"] = class_of(frame["years"], AGE_BORDERS)
    return Table(
        base, frame[["id", "person", "mask", "gender", "age", "years"]], CLASSES, True, tuple(notes), {"age": AGE}
    )


def _read_people(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path}: not found; root must be the folder that holds train/train.csv")
    people = read_table(path)
    missing = [column for column in _COLUMNS if column not in people.columns]
    if missing:
        raise DataError(f"{path}: lacks the column {missing[0]!r}; it needs {', '.join(_COLUMNS)}")
    for number, (gender, age) in enumerate(zip(people["gender"], people["age"], strict=True), 2):
        if gender not in CLASSES["gender"]:
            raise DataError(f"{path}: row {number}: unknown gender {gender!r}; it is male or female")
        if not age.isdecimal():
            raise DataError(f"{path}: row {number}: the age {age!r} is no whole number")
    return people


def _images_of(base: Path, person: pd.Series, row: int) -> list[tuple[str, str, str, int, int, int]]:
    where = f"{base / 'train.csv'}: row {row}"
    folder = base / "images" / person["path"]
    if not folder.resolve().is_relative_to((base / "images").resolve()):
        raise DataError(f"{where}: the path {person['path']!r} leaves {base / 'images'}")
    if not folder.is_dir():
        raise DataError(f"{where}: there is no folder {folder}; fix the path or remove the row")
    gender = CLASSES["gender"].index(person["gender"])
    images = [path for path in sorted(folder.iterdir()) if is_image(path)]
    if not images:
        raise DataError(f"{where}: the folder {folder} holds no image; restore it or remove the row")
    unknown = [path for path in images if path.stem not in MASK_OF_STEM]
    if unknown:
        raise DataError(f"{unknown[0]}: unknown label; an image is named {', '.join(MASK_OF_STEM)}")
    return [
        (
            inside(base, str(path), where),
            person["id"],
            person["path"],
            MASK_OF_STEM[path.stem],
            gender,
            int(person["age"]),
        )
        for path in images
    ]


def _load_corrections(names: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    lists: dict[str, list[dict[str, object]]] = load_yaml(_CORRECTIONS.read_text(encoding="utf-8"))["lists"]
    for name in names:
        if name not in lists:
            raise DataError(
                f"{_CORRECTIONS.name}: no list of corrections is called {name!r}; there are: {', '.join(lists)}"
            )
    if len(set(names)) < len(names):
        raise DataError(
            f"data.corrections: {', '.join(names)} names a list twice; corrections are applied exactly once"
        )
    return lists


def _apply(frame: pd.DataFrame, name: str, fixes: list[dict[str, object]]) -> str:
    """Correct the labels in place and return a note with the number of images that changed."""
    before = frame[["mask", "gender", "years"]].copy()
    for fix in fixes:
        affected = frame["csv_id"].isin([str(person) for person in fix["ids"]])  # type: ignore[attr-defined]
        if "gender" in fix:
            frame.loc[affected, "gender"] = CLASSES["gender"].index(str(fix["gender"]))
        if "years" in fix:
            frame.loc[affected, "years"] = int(str(fix["years"]))
        if "swap" in fix:
            first, second = (CLASSES["mask"].index(str(kind)) for kind in fix["swap"])  # type: ignore[attr-defined]
            frame.loc[affected, "mask"] = frame.loc[affected, "mask"].replace({first: second, second: first})
    changed = (before != frame[["mask", "gender", "years"]]).any(axis=1)
    persons = frame.loc[changed, "person"].nunique()
    return f"corrections {name!r}: {int(changed.sum())} images of {persons} persons relabelled"
