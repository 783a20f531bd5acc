"""The data section of a space: which source, and how its persons are split."""

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _SplitOptions(BaseModel):
    """How any source is split; the same for every task of a data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: Literal["by_person", "by_image"] = "by_person"
    holdout: float = Field(0.2, ge=0, le=0.5)  # share of persons that no trial sees
    split_seed: int = Field(0, ge=0)
    skip_unreadable: bool = False


class SampleFaces(_SplitOptions):
    """Portraits drawn by our own code."""

    source: Literal["sample_faces"]
    people: int = Field(150, ge=10, le=100_000)
    seed: int = Field(0, ge=0)
    shares: Literal["balanced", "competition"] = "balanced"
    scale: float = Field(0.5, gt=0.1, le=1)  # 1 is 384 x 512


class Competition(_SplitOptions):
    """The mask competition's layout; `root` holds train/ or is it."""

    source: Literal["competition"]
    root: str
    corrections: tuple[str, ...] = ()  # names of lists in datasets/corrections.yaml


class Csv(_SplitOptions):
    """Any table with a path column and one or more label columns; paths are relative to `root`."""

    source: Literal["csv"]
    file: str
    root: str | None = None  # None: the folder of the file
    path_column: str = "path"
    labels: tuple[str, ...] = ("label",)
    person_column: str | None = None
    fold_column: str | None = None


class Folder(_SplitOptions):
    """Class-named subfolders of images; its one task is called label."""

    source: Literal["folder"]
    root: str


DataOptions: TypeAlias = Annotated[SampleFaces | Competition | Csv | Folder, Field(discriminator="source")]
data_options: TypeAdapter[DataOptions] = TypeAdapter(DataOptions)
