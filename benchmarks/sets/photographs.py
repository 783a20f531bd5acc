"""From the package scikit-image: patches of photographed surfaces in nine classes, and faces against other patches."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from benchmarks.sets.pictures import Picture, package_folder

_SURFACES = ("brick", "grass", "gravel", "cell", "coffee", "ihc", "moon", "coins", "chelsea")
_OF_A_SURFACE, _PATCH = 78, 24  # patches of a photograph, and their side in pixels
_FACES = 100  # the first so many of lfw_subset


def surfaces() -> Iterator[Picture]:
    """Yield patches at random places of a grid, so that no two overlap."""
    random = np.random.default_rng(0)
    for name in _SURFACES:
        photograph = np.asarray(Image.open(package_folder("skimage") / f"data/{name}.png").convert("L"))
        rows, columns = (side // _PATCH for side in photograph.shape)
        for number in random.permutation(rows * columns)[:_OF_A_SURFACE]:
            top, left = number // columns * _PATCH, number % columns * _PATCH
            yield Picture(
                f"{name}_{number}.png", Image.fromarray(photograph[top : top + _PATCH, left : left + _PATCH]), name
            )


def faces_or_not() -> Iterator[Picture]:
    """Yield 200 grey patches of 25 pixels, half of them faces."""
    for number, levels in enumerate(np.load(package_folder("skimage") / "data/lfw_subset.npy", allow_pickle=False)):
        label = "face" if number < _FACES else "other"
        yield Picture(f"{number}.png", Image.fromarray(np.uint8(levels * 255)), label)
