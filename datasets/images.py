"""Read one image the way every part of Foldrace reads it. Needs only Pillow and NumPy."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm", ".tif", ".tiff")
Pixels = npt.NDArray[np.uint8]


class UnreadableImage(ValueError):
    """An image that cannot be decoded to its end."""


def read_image(path: Path, size: int) -> Pixels:
    """Return the whole image squeezed to size x size x RGB, bicubic with antialiasing, turned upright.

    A JPEG is decoded at the smallest scale that has twice the size: against a full decode no value
    differs by more than a few levels of 255, while a scale that just has the size is off by 20.

    Raises:
        UnreadableImage: missing, truncated, or no image.
    """
    try:
        with Image.open(path) as image:
            image.draft("RGB", (2 * size, 2 * size))
            upright = _eight_bit(ImageOps.exif_transpose(image)).convert("RGB")
            return np.asarray(upright.resize((size, size), Image.Resampling.BICUBIC))
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"{path}: {str(error) or 'cannot be decoded'}") from None


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return a 16-bit grey image with its upper eight bits; Pillow would cut it off at 255."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def is_image(path: Path) -> bool:
    """Tell by its name whether a file is an image; hidden files (such as ._mask1.jpg) are not."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
