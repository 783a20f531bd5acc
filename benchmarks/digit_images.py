"""Write scikit-learn's handwritten digits as a labelled data set: 600 images, ten classes.

python -m benchmarks.digit_images digits
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

_IMAGES, _SIDE, _WHITE = 600, 32, 16


def write_digits(target: Path) -> int:
    """Write the first images and labels.csv below `target`; return the number of images."""
    digits = load_digits()
    target.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, (pixels, label) in enumerate(zip(digits.images[:_IMAGES], digits.target[:_IMAGES], strict=True)):
        image = Image.fromarray(np.uint8(pixels * 255 / _WHITE)).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC)
        image.convert("RGB").save(target / f"{number}.png")
        rows.append((f"{number}.png", str(label)))
    with open(target / "labels.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label"), *rows])
    return len(rows)


if __name__ == "__main__":
    print(f"{write_digits(Path(sys.argv[1]))} images -> {sys.argv[1]}/labels.csv")
