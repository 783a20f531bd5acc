"""One interface to all sources: options in, a Table out."""

import csv
from collections.abc import Callable
from inspect import isclass, signature
from pathlib import Path
from typing import Annotated, Any, Union, get_type_hints

from pydantic import Field, TypeAdapter

import plugins
from datasets.errors import DataError
from datasets.options import Competition, Csv, Folder, SampleFaces, SplitOptions
from datasets.sources.competition import read_competition
from datasets.sources.own import read_csv, read_folder
from datasets.sources.sample_faces import sample_faces_root
from datasets.table import Table
from plugins.registry import PluginError, Registry
from storage.rebuilt_folder import cache_root

Progress = Callable[[int, int], None]
Source = Callable[
    [Any, Progress | None], Table
]  # its options, a model built on SplitOptions, and who hears how far it is
SOURCES: Registry[Source] = plugins.SOURCES


@SOURCES.register("sample_faces")
def _sample_faces(options: SampleFaces, progress: Progress | None) -> Table:
    root = sample_faces_root(cache_root(), options.people, options.seed, options.shares, options.scale, progress)
    return read_competition(root, ())


@SOURCES.register("competition")
def _competition(options: Competition, progress: Progress | None) -> Table:
    return read_competition(Path(options.root).absolute(), options.corrections)


@SOURCES.register("csv")
def _csv(options: Csv, progress: Progress | None) -> Table:
    return read_csv(options)


@SOURCES.register("folder")
def _folder(options: Folder, progress: Progress | None) -> Table:
    return read_folder(Path(options.root).absolute())


def data_options() -> TypeAdapter[Any]:
    """Return what checks a data section: one model per registered source, distinguished by `source`."""
    models = tuple(_options_model(name) for name in SOURCES)
    union: Any = Union[models]  # noqa: UP007  # made at run time
    return TypeAdapter(Annotated[union, Field(discriminator="source")])


def _options_model(name: str) -> type[SplitOptions]:
    """Return the model of a source's options: what its first argument is annotated with."""
    read = SOURCES[name]
    annotation = get_type_hints(read).get(next(iter(signature(read).parameters)))
    if not (isclass(annotation) and issubclass(annotation, SplitOptions)):
        raise PluginError(
            f"data source {name}: its first argument must be annotated with a model built on SplitOptions"
        )
    return annotation


def open_source(options: SplitOptions, progress: Progress | None = None) -> Table:
    """Return the table of a data source; sample faces are drawn first if they are not there yet.

    Raises:
        DataError: the data is not what the options promise; names file, row and way out.
    """
    table = SOURCES[options.source](options, progress)  # type: ignore[attr-defined]  # every source's options name it
    if table.has_persons or "fold" in table.frame:
        return table
    if options.split == "by_person":
        raise DataError(
            "the data names no persons, so the same person could stand on both sides of a split;"
            " name the column with data.person_column, or say data.split=by_image if every image stands for itself"
        )
    return table


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
