"""How one photograph is taken: what varies from image to image of the same person."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

MaskWearing = Literal["wear", "incorrect", "normal"]

# The competition's seven images of a person.
SHOTS: tuple[tuple[str, MaskWearing], ...] = (
    *((f"mask{number}", "wear") for number in range(1, 6)),
    ("incorrect_mask", "incorrect"),
    ("normal", "normal"),
)
_FABRICS = ((225, 232, 236), (118, 170, 205), (35, 35, 40), (214, 205, 190), (180, 120, 130), (90, 110, 90))


@dataclass(frozen=True)
class Shot:
    """Pose, light, expression, mask and camera of one photograph; lengths in half face heights."""

    wearing: MaskWearing
    shift: tuple[float, float]
    zoom: float
    roll: float  # radians
    yaw: float  # radians
    light: tuple[float, float]  # direction of the brighter side
    gain: tuple[float, float, float]  # per colour channel
    backdrop: tuple[tuple[float, float, float], tuple[float, float, float]]
    blobs: tuple[tuple[float, float, float, float], ...]  # x, y, radius, brightness of backdrop shapes
    smile: float
    mouth_open: float
    brow_raise: float
    eye_open: float
    fabric: tuple[float, float, float]
    mask_drop: float  # how far an incorrect mask has slid down
    pleats: int
    blur: float  # pixels at 512 high
    noise: float
    jpeg_quality: int


def draw_shot(generator: np.random.Generator, wearing: MaskWearing) -> Shot:
    """Return one photograph's circumstances."""
    brightness = generator.uniform(0.72, 1.12)
    tint = brightness * (1 + generator.normal(0, 0.045, 3))
    dark, bright = generator.uniform(40, 190, 3), generator.uniform(90, 235, 3)
    blobs = [
        (*generator.uniform(-1.8, 1.8, 2), generator.uniform(0.2, 0.9), generator.normal(0, 18))
        for _ in range(generator.integers(0, 6))
    ]
    return Shot(
        wearing=wearing,
        shift=(float(generator.normal(0, 0.10)), float(generator.normal(0, 0.08))),
        zoom=float(generator.uniform(0.86, 1.14)),
        roll=float(generator.normal(0, 0.06)),
        yaw=float(generator.normal(0, 0.16)),
        light=(float(generator.normal(0, 0.14)), float(generator.normal(-0.05, 0.06))),
        gain=(float(tint[0]), float(tint[1]), float(tint[2])),
        backdrop=(tuple(dark), tuple(bright)),
        blobs=tuple(blobs),
        smile=float(generator.normal(0.3, 0.5)),
        mouth_open=float(max(0.0, generator.normal(-0.05, 0.25))),
        brow_raise=float(generator.normal(0, 0.03)),
        eye_open=float(np.clip(generator.normal(1, 0.12), 0.5, 1.2)),
        fabric=_FABRICS[generator.choice(len(_FABRICS), p=[0.35, 0.2, 0.25, 0.1, 0.05, 0.05])],
        mask_drop=float(generator.choice([0.34, 0.62]) + generator.normal(0, 0.03)),
        pleats=int(generator.integers(0, 4)),
        blur=float(abs(generator.normal(0, 0.9))),
        noise=float(abs(generator.normal(0, 3.0))),
        jpeg_quality=int(generator.integers(55, 96)),
    )
