"""A canvas in face coordinates: the head is centred on (0, 0), the skull's top at y = -1, the chin at y = 1."""

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from datasets.sources.sample_faces.people import Colour
from datasets.sources.sample_faces.shots import Shot

Points = npt.NDArray[np.float64]
_FRACTION_BITS = 4  # OpenCV takes polygon corners in sixteenths of a pixel


class Canvas:
    """Draws shapes of a posed head into an image, and collects soft shadows to be laid on at once."""

    def __init__(self, width: int, height: int, shot: Shot) -> None:
        self.image = np.zeros((height, width, 3), np.uint8)
        self._shadow = np.zeros((height // 2, width // 2), np.float32)  # soft anyway, so half as fine
        self._unit = 0.27 * height * shot.zoom
        self._centre = np.array([width / 2 + shot.shift[0] * self._unit, 0.47 * height + shot.shift[1] * self._unit])
        self._shot = shot

    def pixels(self, points: Points) -> Points:
        """Return face coordinates as pixels: turned by yaw, rolled, scaled and shifted."""
        x, y = points[:, 0], points[:, 1]
        depth = np.sqrt(np.maximum(1 - (x / 0.95) ** 2 - (y / 1.3) ** 2, 0)) * 0.75
        x = x * np.cos(self._shot.yaw) + depth * np.sin(self._shot.yaw)
        cosine, sine = np.cos(self._shot.roll), np.sin(self._shot.roll)
        turned = np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)
        placed: Points = turned * self._unit + self._centre
        return placed

    def fill(self, points: Points, colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.image, [self._fixed(points)], colour, cv2.LINE_AA, _FRACTION_BITS)

    def stroke(self, points: Points, colour: Colour, width: float) -> None:
        """Draw an open line; `width` in face units."""
        cv2.polylines(
            self.image, [self._fixed(points)], False, colour, self._thickness(width), cv2.LINE_AA, _FRACTION_BITS
        )

    def shade(self, points: Points, strength: float, width: float | None = None) -> None:
        """Collect a soft shadow along a line, or of a polygon where no width is given."""
        if width is None:
            cv2.fillPoly(self._shadow, [self._fixed(points, 0.5)], strength, cv2.LINE_8, _FRACTION_BITS)
        else:
            fixed = [self._fixed(points, 0.5)]
            cv2.polylines(self._shadow, fixed, False, strength, self._thickness(width / 2), cv2.LINE_8, _FRACTION_BITS)

    def settle(self, softness: float) -> None:
        """Blur the collected shadows by `softness` face units, lay them on and start anew."""
        sigma = softness * self._unit / 2
        height, width = self.image.shape[:2]
        dimmed = cv2.resize(np.exp(-cv2.GaussianBlur(self._shadow, (0, 0), sigma)), (width, height))
        self.image = cv2.multiply(self.image, cv2.merge([dimmed] * 3), dtype=cv2.CV_8U)
        self._shadow[:] = 0

    def inside(self, points: Points) -> npt.NDArray[np.bool_]:
        """Return the pixels that a polygon covers."""
        mask = np.zeros(self.image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [self._fixed(points)], 1, cv2.LINE_8, _FRACTION_BITS)
        return mask.astype(bool)

    def _fixed(self, points: Points, scale: float = 1.0) -> npt.NDArray[np.int32]:
        fixed: npt.NDArray[np.int32] = np.round(self.pixels(points) * (scale * 2**_FRACTION_BITS)).astype(np.int32)
        return fixed

    def _thickness(self, width: float) -> int:
        return max(1, round(width * self._unit))


def ellipse(x: float, y: float, half_width: float, half_height: float, start: float = 0, end: float = 360) -> Points:
    """Return points along an ellipse, in degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 40))
    return np.stack([x + half_width * np.cos(angles), y + half_height * np.sin(angles)], axis=1)


def curve(*points: tuple[float, float]) -> Points:
    """Return the smooth line (a polynomial) through two, three or four points at equal steps."""
    smooth: Points = _blending(len(points)) @ np.array(points, float)
    return smooth


@cache
def _blending(knots: int) -> Points:
    """Return the weights of the knots (Lagrange's polynomials) at the points of a curve."""
    at, fine = np.linspace(0, 1, knots), np.linspace(0, 1, 12)
    others = [np.delete(at, knot) for knot in range(knots)]
    return np.stack(
        [np.prod((fine[:, None] - rest) / (at[knot] - rest), axis=1) for knot, rest in enumerate(others)], axis=1
    )


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour `share` of the way from the first to the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return red, green, blue
