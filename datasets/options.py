"""The data section of a space: the options of every built-in source, and how any source is split."""

from math import isfinite
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from datasets.images import Resize


def _listed(value: object) -> object:
    """Return a single name as a list of one."""
    return [value] if isinstance(value, str) else value


class SplitOptions(BaseModel):
    """How any source is split; the same for every task of a data set. The options of a source build on it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Literal["by_person", "by_image", "auto"] = "by_person"  # auto: by person where the data names persons
    holdout: float = Field(0.2, ge=0, le=0.5)  # share of persons that no trial sees
    split_seed: int = Field(0, ge=0)
    skip_unreadable: bool = False
    resize: Resize = "squeeze"  # how a picture becomes square: both sides scaled, filled up with grey, or cut off


class SampleFaces(SplitOptions):
    """Portraits drawn by our own code."""

    source: Literal["sample_faces"]
    people: int = Field(150, ge=10, le=100_000)
    seed: int = Field(0, ge=0)
    shares: Literal["balanced", "competition"] = "balanced"
    scale: float = Field(0.5, gt=0.1, le=1)  # 1 is 384 x 512


class Competition(SplitOptions):
    """The mask competition's layout; `root` holds train/ or is it."""

    source: Literal["competition"]
    root: str
    corrections: tuple[str, ...] = ()  # names of lists in datasets/sources/corrections.yaml


class Csv(SplitOptions):
    """Any table with a path column and one or more label columns; paths are relative to `root`."""

    source: Literal["csv"]
    file: str
    root: str | None = None  # None: the folder of the file
    path_column: str = "path"
    labels: Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)] = ("label",)
    person_column: str | None = None
    fold_column: str | None = None
    bins: dict[
        str, tuple[float, ...]
    ] = {}  # of label columns that hold a number: where classes begin, such as {age: [30, 60]}
    ordered: dict[str, tuple[str, ...]] = {}  # of label columns whose classes have an order: the classes, lowest first

    @model_validator(mode="after")
    def _check_bins(self) -> "Csv":
        """Refuse borders and orders of what is no label, and borders that do not rise."""
        for column in (*self.bins, *self.ordered):
            if column not in self.labels:
                raise ValueError(f"bins or ordered name {column!r}, which is none of labels: {', '.join(self.labels)}")
        for column, borders in self.bins.items():
            if not borders or not all(map(isfinite, borders)) or list(borders) != sorted(set(borders)):
                raise ValueError(f"bins.{column} must be one or more rising numbers (got {list(borders)})")
        return self

    @model_validator(mode="after")
    def _check_split(self) -> "Csv":
        """Refuse a person column beside a split that would not look at it."""
        if self.person_column is not None and self.split == "by_image":
            raise ValueError(
                f"split is by_image, but person_column names {self.person_column!r}: images of one person would stand on"
                " both sides; say split: by_person, or drop person_column"
            )
        return self


class Folder(SplitOptions):
    """Class-named subfolders of images; its one task is called label."""

    source: Literal["folder"]
    root: str
