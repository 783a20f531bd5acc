"""Tables and class folders that nobody can learn from, and lists of labels."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from datasets.options import Csv
from datasets.sources.own import read_csv, read_folder
from launch.initial_configurations import read_list
from search_spaces.portfolio import read_portfolio
from tests.hostile.case import Case, Make, written
from tests.toys import ROOT
from voting.bundle.manifest import open_bundle
from voting.predicting.inputs import find_images, read_labels

PICTURES = ("a.jpg", "b.jpg", "c.jpg")
ROWS = "path,label\na.jpg,cat\nb.jpg,dog\nc.jpg,cat\n"


def cases() -> Iterator[Case]:
    """Yield tables as training and prediction get them."""
    tables: dict[str, bytes | str] = {
        "empty": "",
        "header_only": "path,label\n",
        "binary": bytes(range(256)) * 100,
        "null_bytes": "path,label\na.jpg,\0cat\nb.jpg,dog\n",
        "no_such_column": "file,kind\na.jpg,cat\n",
        "twice": ROWS + "a.jpg,dog\n",
        "leaves": "path,label\n../../../etc/passwd,cat\nb.jpg,dog\n",
        "absolute": "path,label\n/etc/passwd,cat\nb.jpg,dog\n",
        "device": "path,label\n/dev/zero,cat\nb.jpg,dog\n",
        "empty_label": "path,label\na.jpg,\nb.jpg,dog\n",
        "single_class": "path,label\na.jpg,cat\nb.jpg,cat\n",
        "quote": 'path,label\n"a.jpg,cat\nb.jpg,dog\n',
        "many_cells": "path,label\na.jpg,cat,1,2,3\nb.jpg,dog\n",
        "column_twice": "path,label,label\na.jpg,cat,dog\nb.jpg,dog,cat\n",
        "long_path": f"path,label\n{'x' * 5_000_000}.jpg,cat\nb.jpg,dog\n",
        "null_path": "path,label\na\0.jpg,cat\nb.jpg,dog\n",
        "folds": "path,label,fold\na.jpg,cat,99999999999\nb.jpg,dog,0\nc.jpg,cat,1\n",
    }
    for name, content in tables.items():
        odd = name in ("folds", "many_cells", "null_bytes")  # folds are looked at where the table is split
        yield Case(f"table/{name}.csv", beside_pictures(content), trained_on, refused=not odd)
        yield Case(f"list/{name}.csv", beside_pictures(content), voted_on, refused=name in REFUSED_LISTS)
    yield Case("table/pipe.csv", piped, trained_on)
    yield Case("list/pipe.csv", piped, voted_on)
    yield Case("table/endless.csv", partial(linked, "/dev/zero"), trained_on)
    yield Case("list/endless.csv", partial(linked, "/dev/zero"), voted_on)
    yield Case("labels/unknown.csv", beside_pictures("path,mask\na.jpg,hat\nb.jpg,wear\nc.jpg,wear\n"), labelled)
    yield Case("labels/far.csv", beside_pictures("path,target\na.jpg,99999999999\nb.jpg,1\nc.jpg,1\n"), labelled)
    yield Case("labels/superscript.csv", beside_pictures("path,target\na.jpg,²\nb.jpg,1\nc.jpg,1\n"), labelled)
    yield Case("folder/one_class", partial(folders, ["cat"]), read_folder)
    yield Case("folder/no_pictures", partial(folders, ["cat", "dog"]), read_folder)
    yield Case("folder/round_in_circles", circle, read_folder)
    yield Case("enqueued/pipe.csv", piped, read_list)
    yield Case("enqueued/endless.csv", partial(linked, "/dev/zero"), read_list)
    yield Case("portfolio/list.yaml", written("p.yaml", "- 1\n- 2\n"), read_portfolio)
    yield Case("portfolio/words.yaml", written("p.yaml", "configurations: many\n"), read_portfolio)


REFUSED_LISTS = (
    "empty",
    "header_only",
    "binary",
    "no_such_column",
    "leaves",
    "absolute",
    "device",
    "long_path",
    "null_path",
)


def trained_on(table: Path) -> object:
    """Read a table as a launch does."""
    return read_csv(Csv(source="csv", file=str(table), labels=("label",)))


def voted_on(table: Path) -> object:
    """Read a list of pictures as `predict.py --images` does."""
    return find_images(table)


def labelled(table: Path) -> object:
    """Read labels as `predict.py --labels` does."""
    return read_labels(table, find_images(table), open_bundle(ROOT / "tests/golden/bundle").tasks)


def beside_pictures(content: bytes | str) -> Make:
    """Return what makes a table in a folder of three files that it may name."""

    def make(place: Path) -> Path:
        for name in PICTURES:
            (place / name).write_bytes(b"picture")
        return written("table.csv", content)(place)

    return make


def piped(place: Path) -> Path:
    os.mkfifo(place / "table.csv")
    return place / "table.csv"


def linked(target: str, place: Path) -> Path:
    (place / "table.csv").symlink_to(target)
    return place / "table.csv"


def folders(names: list[str], place: Path) -> Path:
    for name in names:
        (place / "root" / name).mkdir(parents=True)
    return place / "root"


def circle(place: Path) -> Path:
    """Make class folders that lie in themselves, by a link."""
    root = folders(["cat", "dog"], place)
    (root / "cat/again").symlink_to(root)
    return root
