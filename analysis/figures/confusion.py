"""A confusion matrix as a picture, drawn by Pillow: tools that keep pictures of runs want pixels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from studies.metrics import Probabilities, Targets

_CELL, _MARGIN, _FONT, _SIDE = 104, 120, 14, 1600  # pixels: of a cell at most, and of all cells at most
_NAMED, _COUNTED = 80, 24  # pixels of a cell from which classes have their names on it, and cells their counts
_BLUE = np.array([8, 81, 156])


def confusion_picture(targets: Targets, probabilities: Probabilities, classes: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Return the picture, H x W x 3: a row a true class, a column a voted one, darker the larger its share of the row."""
    count = len(classes)
    cell = max(2, min(_CELL, _SIDE // count))
    votes = probabilities.argmax(axis=1)
    confusion = np.bincount(targets * count + votes, minlength=count * count).reshape(count, count)
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    side = _MARGIN + count * cell
    picture = Image.new("RGB", (side, side), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(_FONT)
    for row in range(count):
        middle = _MARGIN + row * cell + cell // 2
        if cell >= _NAMED:
            pen.text((8, middle), _short(classes[row], row), "black", font, anchor="lm")
            pen.text((middle, _MARGIN - 10), _short(classes[row], row), "black", font, anchor="ms")
        for column in range(count):
            left, top = _MARGIN + column * cell, _MARGIN + row * cell
            _draw_cell(pen, (left, top, cell), int(confusion[row, column]), float(shares[row, column]))
    pen.text((8, 8), "true (rows), voted (columns)", "gray", font)
    return np.asarray(picture)


def _draw_cell(pen: ImageDraw.ImageDraw, place: tuple[int, int, int], count: int, share: float) -> None:
    """Draw one cell; `place` is its left and upper edge, and its side."""
    left, top, side = place
    gap = 2 if side > 8 else 1
    colour = tuple(int(value) for value in 255 - share * (255 - _BLUE))
    pen.rectangle((left, top, left + side - gap, top + side - gap), colour)
    if side >= _COUNTED:
        ink, middle = "white" if share > 0.5 else "black", (left + side // 2, top + side // 2)
        pen.text(middle, str(count), ink, ImageFont.load_default(_FONT), anchor="mm")


def _short(name: str, number: int) -> str:
    """Return a class as Pillow's own font can draw it: by its number where it lacks the letters."""
    shown = name if name.isascii() else f"class {number}"
    return shown if len(shown) <= 12 else f"{shown[:11]}."
