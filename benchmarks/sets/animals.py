"""Silhouettes of ten animals from the package animal_shape_mnist: 714 of its 10,000, at 28 pixels."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.sets.pictures import Picture, package_folder

_EVERY, _SIDE = 14, 28
_ALL = 10_000
_END = 14  # bytes of a pickle after an array's data: a frame of its own for what ends it


def animal_shapes() -> Iterator[Picture]:
    """Yield every 14th silhouette."""
    folder = package_folder("animal_shape_mnist") / "data/Animal Shape"
    shapes = _raw_array(folder / "animal_data_version_3.gz", np.dtype(np.uint8), _SIDE * _SIDE)
    labels = _raw_array(folder / "animal_label_version_3.gz", np.dtype("<i8"), 1)
    for number in range(0, _ALL, _EVERY):
        image = Image.fromarray(shapes[number].reshape(_SIDE, _SIDE))
        yield Picture(f"{number}.png", image, str(labels[number, 0]))


def _raw_array(file: Path, kind: np.dtype[Any], width: int) -> npt.NDArray[Any]:
    """Return the numbers of a pickled array without unpickling it: they are the last bytes but a few."""
    with gzip.open(file, "rb") as packed:
        content = packed.read()
    size = _ALL * width * kind.itemsize
    return np.frombuffer(content[-size - _END : -_END], dtype=kind).reshape(_ALL, width)
