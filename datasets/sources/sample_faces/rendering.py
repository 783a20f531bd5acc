"""From a person and a shot to a photograph."""

import cv2
import numpy as np
import numpy.typing as npt

from datasets.sources.sample_faces.canvas import Canvas, curve, mix
from datasets.sources.sample_faces.features import draw_features, draw_glasses
from datasets.sources.sample_faces.head import draw_back_hair, draw_backdrop, draw_body, draw_front_hair, draw_head
from datasets.sources.sample_faces.people import Person
from datasets.sources.sample_faces.shots import Shot

FULL_WIDTH, FULL_HEIGHT = 384, 512
_SUPERSAMPLING = 1.5  # edges are drawn larger and averaged down


def render(person: Person, shot: Shot, scale: float, generator: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Return one photograph, height x width x RGB; `scale` 1 is 384 x 512."""
    width, height = round(FULL_WIDTH * scale), round(FULL_HEIGHT * scale)
    canvas = Canvas(round(width * _SUPERSAMPLING), round(height * _SUPERSAMPLING), shot)
    draw_backdrop(canvas, shot.blobs, shot.backdrop)
    draw_back_hair(canvas, person)
    draw_body(canvas, person)
    draw_head(canvas, person)
    draw_features(canvas, person, shot)
    draw_mask(canvas, person, shot)
    draw_glasses(canvas, person)
    draw_front_hair(canvas, person)
    small = cv2.resize(canvas.image, (width, height), interpolation=cv2.INTER_AREA)
    return _through_the_camera(small, shot, generator)


def draw_mask(canvas: Canvas, person: Person, shot: Shot) -> None:
    """Draw a mask where it is worn: over nose and mouth, slid below the nose or under the mouth, or not at all."""
    if shot.wearing == "normal":
        return
    drop = shot.mask_drop if shot.wearing == "incorrect" else 0.0
    top, bottom, width = 0.08 + drop, min(1.12, 1.04 + 0.3 * drop), person.face_width * (0.93 - 0.12 * drop)
    for side in (-1, 1):
        loop = curve((side * width, top + 0.15), (side * (person.face_width + 0.05), 0.12 + 0.3 * drop))
        canvas.stroke(loop, mix(shot.fabric, (120, 120, 120), 0.3), 0.018)
    upper = curve((-width, top + 0.16), (-0.16, top - 0.02), (0.16, top - 0.02), (width, top + 0.16))
    lower = curve((width, top + 0.30), (0.55 * width, bottom), (-0.55 * width, bottom), (-width, top + 0.30))
    canvas.fill(np.vstack([upper, lower]), shot.fabric)
    for pleat in range(shot.pleats):
        y = top + 0.24 + pleat * 0.14
        canvas.shade(curve((-0.85 * width, y + 0.02), (0, y + 0.05), (0.85 * width, y + 0.02)), 0.35, 0.018)
    canvas.shade(curve((-width, top + 0.2), (-0.5 * width, top + 0.6), (0, bottom)), 0.25, 0.08)
    canvas.shade(curve((0, top), (0.02, top + 0.25), (0.0, top + 0.45)), 0.12, 0.05)
    canvas.settle(0.03)


def _through_the_camera(
    image: npt.NDArray[np.uint8], shot: Shot, generator: np.random.Generator
) -> npt.NDArray[np.uint8]:
    """Add light from a side, white balance, blur and sensor noise."""
    height, width = image.shape[:2]
    across = np.linspace(-1, 1, width)[None, :] * shot.light[0] + np.linspace(-1, 1, height)[:, None] * shot.light[1]
    lit = image * ((1 + across[..., None]) * np.array(shot.gain)).astype(np.float32)
    sigma = shot.blur * height / FULL_HEIGHT
    if sigma > 0.2:
        lit = cv2.GaussianBlur(lit, (0, 0), sigma)
    noisy = lit + shot.noise * generator.standard_normal((height, width, 1), np.float32)
    developed: npt.NDArray[np.uint8] = np.minimum(np.maximum(noisy, 0), 255).astype(np.uint8)
    return developed
