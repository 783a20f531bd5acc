"""Read one image the way every part of Foldrace reads it. Needs only Pillow and NumPy."""

import errno
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".pgm", ".ppm", ".tif", ".tiff")
Pixels = npt.NDArray[np.uint8]
Resize: TypeAlias = Literal["squeeze", "pad", "crop"]
DECODED_AT = (
    4  # times the size, no less: with 2 a graph that decodes in full differs on one picture in 175, with 4 in 410
)
# What Pillow decodes itself, by content, those that everybody has first. Of PostScript it would start another program, of WMF
# Windows would, and of others it reads no pixels. An icon may hold a larger picture than its header says.
_USUAL = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF")
_NEVER = frozenset({"EPS", "WMF", "BUFR", "GRIB", "HDF5", "MPEG", "ICO", "ICNS", "CUR"})
LARGEST = 89_478_485  # pixels: from here on Pillow warns of a file that fills the memory when it is decoded
LONGEST_SIDE = 65_535  # pixels: what a JPEG can have
_EIGHT_BIT = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
_WIDER = 4  # times the memory that a pixel of more bits takes while it is scaled to eight
_GREY = (128, 128, 128)  # beside a padded image
_ORIENTATION = 0x0112  # the EXIF tag that says how a camera was held
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # an error of ours instead


@dataclass(frozen=True)
class Form:
    """How images are made square: side in pixels, and the rule."""

    size: int
    resize: Resize = "squeeze"


class UnreadableImage(ValueError):
    """An image that cannot be decoded to its end."""


def read_image(path: Path, size: int, resize: Resize = "squeeze") -> Pixels:
    """Return an image as size x size x RGB, turned upright, resized bicubically with antialiasing.

    `resize` says how it becomes square: `squeeze` scales both sides, `pad` keeps the shape and fills up with grey,
    `crop` keeps the shape and cuts the longer side off evenly. A JPEG is decoded at the smallest scale that has
    `DECODED_AT` times the size (what that changes and saves: `python -m benchmarks.resize_rule`).

    Raises:
        UnreadableImage: missing, truncated, too large, or no image.
    """
    try:
        with _opened(path) as image:
            _check_size(path, image)
            image.draft("RGB", (DECODED_AT * size, DECODED_AT * size))
            image.load()  # a TIFF is turned while it is loaded, and then says so no more
            upright = _eight_bit(_turned_upright(image)).convert("RGB")
            return np.asarray(_square(upright, size, resize))
    except (UnreadableImage, MemoryError):
        raise
    except Exception as error:  # a decoder may raise anything at what a file contains
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            raise  # the machine's fault: the picture is fine
        raise UnreadableImage(f"{path}: {str(error) or 'cannot be decoded'}") from None


def is_file_of_its_own(path: Path) -> bool:
    """Tell whether a path leads to a regular file: a pipe is never read to its end, and a device has none."""
    return path.is_file()


def _check_size(path: Path, image: Image.Image) -> None:
    """Refuse an image that takes more memory than any picture is worth, or that is a line.

    Raises:
        UnreadableImage: says how large it is, and how large one may be.
    """
    most = LARGEST if image.mode in _EIGHT_BIT else LARGEST // _WIDER
    if image.width * image.height > most:
        raise UnreadableImage(
            f"{path}: has {image.width * image.height / 1e6:.0f} megapixels, more than the {most / 1e6:.0f} that are read"
            f"{'' if most == LARGEST else f' of {image.mode}'}; make it smaller"
        )
    if max(image.size) > LONGEST_SIDE:
        raise UnreadableImage(
            f"{path}: is {image.width} x {image.height}, and no side may be longer than {LONGEST_SIDE}; cut it"
        )


def _opened(path: Path) -> Image.Image:
    """Open an image by what is in it, whatever its name ends with."""
    if path.exists() and not is_file_of_its_own(path):
        raise UnreadableImage(f"{path}: is no regular file")
    try:
        return Image.open(path, formats=_USUAL)
    except UnidentifiedImageError:
        return Image.open(path, formats=_others())


@cache
def _others() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in Image.ID if name not in (*_USUAL, *_NEVER))


def _turned_upright(image: Image.Image) -> Image.Image:
    """Return the image as its camera was held; one whose EXIF cannot be read stays as it is."""
    try:
        method = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # of the picture itself nothing is damaged
        method = None
    return image if method is None else image.transpose(method)


def _square(image: Image.Image, size: int, resize: Resize) -> Image.Image:
    bicubic = Image.Resampling.BICUBIC
    if resize == "squeeze":
        return image.resize((size, size), bicubic)
    if resize == "crop":
        side = min(image.size)
        left, top = (image.width - side) / 2, (image.height - side) / 2
        return image.resize((size, size), bicubic, box=(left, top, left + side, top + side))
    scale = size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    padded = Image.new("RGB", (size, size), _GREY)
    padded.paste(image.resize((width, height), bicubic), ((size - width) // 2, (size - height) // 2))
    return padded


def _eight_bit(image: Image.Image) -> Image.Image:
    """Return a 16-bit grey image with its upper eight bits; Pillow would cut it off at 255."""
    if not image.mode.startswith("I;16"):
        return image
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))


def is_image(path: Path) -> bool:
    """Tell by its name whether a file is an image; hidden files (such as ._mask1.jpg) are not."""
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.name.startswith(".")
