"""Eyes, brows, nose, mouth, beard, glasses and the marks of age."""

import numpy as np

from datasets.sources.sample_faces.canvas import Canvas, curve, ellipse, mix
from datasets.sources.sample_faces.head import WHITE_HAIR
from datasets.sources.sample_faces.people import Person
from datasets.sources.sample_faces.shots import Shot

EYE_HEIGHT = -0.06


def draw_features(canvas: Canvas, person: Person, shot: Shot) -> None:
    """Draw everything that sits on the skin."""
    _draw_wrinkles(canvas, person, shot)
    _draw_beard(canvas, person)
    for side in (-1, 1):
        _draw_eye(canvas, person, shot, side)
        _draw_brow(canvas, person, shot, side)
    _draw_nose(canvas, person)
    _draw_mouth(canvas, person, shot)


def _draw_wrinkles(canvas: Canvas, person: Person, shot: Shot) -> None:
    """Lay on lines of the forehead, crow's feet, folds beside the nose, bags and jowls."""
    strength = 0.55 * person.wrinkles
    for line in range(3):
        y = -0.62 + 0.11 * line + shot.brow_raise
        canvas.shade(
            curve((-0.38, y + 0.02), (-0.1, y - 0.015), (0.12, y + 0.01), (0.38, y + 0.02)), strength * 0.6, 0.018
        )
    for side in (-1, 1):
        eye = side * (person.eye_gap + 0.15)
        for spread in (-0.06, 0.0, 0.06):
            canvas.shade(
                curve((eye, EYE_HEIGHT + 0.4 * spread), (eye + side * 0.13, EYE_HEIGHT + 0.02 + spread)),
                strength,
                0.014,
            )
        fold = curve((side * 0.17, 0.28), (side * 0.29, 0.42), (side * 0.31, 0.62))
        canvas.shade(fold, 0.12 + strength * (0.8 + 0.3 * max(0.0, shot.smile)), 0.022)
        canvas.shade(ellipse(side * person.eye_gap, 0.07, 0.14, 0.055, 10, 170), 0.1 + 0.55 * person.sag, 0.025)
        canvas.shade(curve((side * 0.36, 0.62), (side * 0.45, 0.78), (side * 0.36, 0.88)), 0.45 * person.sag, 0.05)
    canvas.settle(0.012)


def _draw_eye(canvas: Canvas, person: Person, shot: Shot, side: int) -> None:
    x, size = side * person.eye_gap, person.eye_size
    height = 0.062 * size * shot.eye_open * (1 - 0.25 * person.sag)
    canvas.fill(ellipse(x, EYE_HEIGHT, 0.145 * size, height), (238, 234, 230))
    iris = min(0.062 * size, height * 1.05)
    canvas.fill(ellipse(x, EYE_HEIGHT, iris, iris), person.iris)
    canvas.fill(ellipse(x, EYE_HEIGHT, iris * 0.5, iris * 0.5), (12, 10, 10))
    canvas.fill(ellipse(x + 0.02, EYE_HEIGHT - 0.02, 0.012, 0.012), (250, 250, 250))
    lid = ellipse(x, EYE_HEIGHT, 0.15 * size, height * 1.08, 180, 360)
    canvas.stroke(lid, mix((25, 15, 12), person.skin, 0.45 - 0.4 * person.lip_red), 0.022 + 0.012 * person.lip_red)
    crease = ellipse(x, EYE_HEIGHT - 0.015 + 0.02 * person.sag, 0.16 * size, height * 1.7, 195, 345)
    canvas.stroke(crease, mix(person.skin, (70, 30, 20), 0.35), 0.012)


def _draw_brow(canvas: Canvas, person: Person, shot: Shot, side: int) -> None:
    x, y = side * person.eye_gap, -0.26 + shot.brow_raise - 0.02 * person.lip_red
    colour = mix(mix(person.hair, WHITE_HAIR, 0.5 * person.grey), person.skin, 0.2)
    arch = curve(
        (x - side * 0.17, y + 0.035), (x - side * 0.02, y - 0.02), (x + side * 0.17, y + 0.03 + 0.03 * person.sag)
    )
    canvas.stroke(arch, colour, 0.045 * person.brow_thickness)


def _draw_nose(canvas: Canvas, person: Person) -> None:
    width = person.nose_width
    canvas.shade(curve((0.06, -0.1), (0.08, 0.1), (width * 0.8, 0.26)), 0.22, 0.03)
    canvas.shade(curve((-width, 0.27), (-width * 0.5, 0.33), (width * 0.5, 0.33), (width, 0.27)), 0.5, 0.025)
    for side in (-1, 1):
        canvas.shade(ellipse(side * width * 0.5, 0.30, 0.035, 0.02), 0.8)
    canvas.settle(0.018)


def _draw_mouth(canvas: Canvas, person: Person, shot: Shot) -> None:
    lips = mix(mix(person.skin, (150, 75, 70), 0.55), (190, 50, 65), 0.75 * person.lip_red)
    corner, lift = 0.22 + 0.04 * shot.smile, 0.58 - 0.05 * shot.smile
    full = 0.045 + 0.02 * person.lip_red - 0.015 * person.sag
    gap = 0.06 * shot.mouth_open
    upper = curve((-corner, lift), (-0.08, 0.575 - full - gap), (0.08, 0.575 - full - gap), (corner, lift))
    lower = curve((corner, lift), (0.1, 0.60 + 1.3 * full + gap), (-0.1, 0.60 + 1.3 * full + gap), (-corner, lift))
    canvas.fill(np.vstack([upper, lower]), lips)
    seam_up = curve((-corner, lift), (0, 0.59 + 0.03 * shot.smile - gap), (corner, lift))
    seam_down = curve((corner, lift), (0, 0.60 + 0.03 * shot.smile + gap), (-corner, lift))
    canvas.fill(np.vstack([seam_up, seam_down]), (92, 40, 40) if gap < 0.015 else (235, 228, 222))
    canvas.stroke(seam_up, (88, 40, 38), 0.014)


def _draw_beard(canvas: Canvas, person: Person) -> None:
    """Draw stubble or a beard along jaw and upper lip as many short hairs."""
    if person.beard == 0:
        return
    generator = np.random.default_rng(person.texture_seed + 2)
    colour = mix(mix(person.hair, WHITE_HAIR, 0.7 * person.grey), person.skin, 0.55 - 0.4 * person.beard)
    for _ in range(int(260 * person.beard) + 120):
        angle = generator.uniform(0.12, np.pi - 0.12)
        radius = generator.uniform(0.72, 0.97)
        x, y = np.cos(angle) * (person.jaw_width + 0.16) * radius, 0.25 + np.sin(angle) * 0.70 * radius
        if generator.random() < 0.2:
            x, y = generator.uniform(-0.2, 0.2), generator.uniform(0.41, 0.48)
        length = 0.02 + 0.03 * person.beard
        canvas.stroke(np.array([[x, y], [x + generator.normal(0, 0.008), y + length]]), colour, 0.009)


def draw_glasses(canvas: Canvas, person: Person) -> None:
    """Draw a frame around both eyes, if the person wears one."""
    if not person.glasses:
        return
    frame = (38.0, 34.0, 36.0)
    for side in (-1, 1):
        canvas.stroke(ellipse(side * person.eye_gap, EYE_HEIGHT + 0.02, 0.225, 0.17), frame, 0.022)
        edge = side * (person.eye_gap + 0.22)
        canvas.stroke(
            np.array([[edge, EYE_HEIGHT], [side * (person.face_width + 0.02), EYE_HEIGHT - 0.02]]), frame, 0.02
        )
    canvas.stroke(curve((-0.11, EYE_HEIGHT), (0, EYE_HEIGHT - 0.04), (0.11, EYE_HEIGHT)), frame, 0.02)
