"""A confusion matrix as a picture, drawn by Pillow: tools that keep pictures of runs want pixels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from studies.metrics import Probabilities, Targets

_CELL, _MARGIN, _FONT = 104, 120, 14  # pixels
_BLUE = np.array([8, 81, 156])


def confusion_picture(targets: Targets, probabilities: Probabilities, classes: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Return the picture, H x W x 3: a row a true class, a column a voted one, darker the larger its share of the row."""
    count = len(classes)
    votes = probabilities.argmax(axis=1)
    confusion = np.bincount(targets * count + votes, minlength=count * count).reshape(count, count)
    shares = confusion / np.maximum(1, confusion.sum(axis=1, keepdims=True))
    side = _MARGIN + count * _CELL
    picture = Image.new("RGB", (side, side), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(_FONT)
    for row in range(count):
        middle = _MARGIN + row * _CELL + _CELL // 2
        pen.text((8, middle), _short(classes[row], row), "black", font, anchor="lm")
        pen.text((middle, _MARGIN - 10), _short(classes[row], row), "black", font, anchor="ms")
        for column in range(count):
            left, share = _MARGIN + column * _CELL, shares[row, column]
            colour = tuple(int(value) for value in 255 - share * (255 - _BLUE))
            box = (left, _MARGIN + row * _CELL, left + _CELL - 2, _MARGIN + (row + 1) * _CELL - 2)
            pen.rectangle(box, colour)
            ink = "white" if share > 0.5 else "black"
            pen.text((left + _CELL // 2, middle), str(confusion[row, column]), ink, font, anchor="mm")
    pen.text((8, 8), "true (rows), voted (columns)", "gray", font)
    return np.asarray(picture)


def _short(name: str, number: int) -> str:
    """Return a class as Pillow's own font can draw it: by its number where it lacks the letters."""
    shown = name if name.isascii() else f"class {number}"
    return shown if len(shown) <= 12 else f"{shown[:11]}."
