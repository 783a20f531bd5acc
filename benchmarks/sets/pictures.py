"""What every set yields, and how it becomes a labelled data set on disk: pictures, labels.csv, perhaps groups."""

import csv
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL.Image import Image


@dataclass(frozen=True)
class Picture:
    """One picture with its file name, its label and, where pictures belong together, its group."""

    name: str
    image: Image
    label: str
    group: str | None = None


def write_set(pictures: Iterable[Picture], target: Path) -> int:
    """Write the pictures and labels.csv (path, label, group) below `target`; return their number."""
    rows = []
    for picture in pictures:
        file = target / picture.name
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.image.save(file)
        rows.append((picture.name, picture.label, picture.group or picture.name))
    with open(target / "labels.csv", "w", newline="", encoding="utf-8") as labels:
        csv.writer(labels).writerows([("path", "label", "group"), *rows])
    return len(rows)


def package_folder(package: str) -> Path:
    """Return where an installed package lies, without importing it.

    Raises:
        SystemExit: it is not installed; says how to.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or (spec.origin is None and not spec.submodule_search_locations):
        raise SystemExit(f"{package} is not installed: pip install -r benchmarks/requirements.txt")
    return Path(spec.origin).parent if spec.origin else Path(next(iter(spec.submodule_search_locations or ())))
