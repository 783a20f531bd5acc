"""Skull, hair, neck, ears and skin."""

import cv2
import numpy as np

from datasets.sources.sample_faces.canvas import Canvas, Points, curve, ellipse, mix
from datasets.sources.sample_faces.people import Colour, Person

WHITE_HAIR: Colour = (205, 203, 200)


def face_outline(person: Person) -> Points:
    """Return the outline of the face, ear to ear over the chin and back over the skull."""
    angles = np.radians(np.linspace(0, 360, 90))
    x, y = np.cos(angles), np.sin(angles)
    jaw = np.clip(y, 0, 1)
    narrow = person.face_width * (1 - jaw**2) + (person.jaw_width + 0.05 * person.sag) * jaw**2
    height = np.where(y > 0, 1.0 + person.chin, 0.96)
    square = np.sign(x) * np.abs(x) ** np.where(y > 0, 0.75, 1.0)
    return np.stack([square * narrow, y * height], axis=1)


def draw_backdrop(
    canvas: Canvas, blobs: tuple[tuple[float, float, float, float], ...], ends: tuple[Colour, Colour]
) -> None:
    """Paint a vertical run of colour with some soft shapes."""
    height = canvas.image.shape[0]
    share = np.linspace(0, 1, height)[:, None, None]
    canvas.image[:] = ((1 - share) * np.array(ends[0]) + share * np.array(ends[1])).astype(np.uint8)
    for x, y, radius, brightness in blobs:
        canvas.shade(ellipse(x, y, radius, radius * 1.3), -brightness / 100)
    canvas.settle(0.08)


def draw_body(canvas: Canvas, person: Person) -> None:
    """Draw neck and shoulders."""
    shoulders = curve((-1.5, 2.6), (-1.15, 1.45), (1.15, 1.45), (1.5, 2.6))
    canvas.fill(np.vstack([shoulders, [[1.6, 3.2], [-1.6, 3.2]]]), person.clothes)
    shade = mix(person.skin, (60, 30, 20), 0.18)
    width = 0.34 + 0.12 * person.jaw_width
    canvas.fill(np.array([[-width, 0.5], [width, 0.5], [width + 0.08, 1.55], [0, 1.75], [-width - 0.08, 1.55]]), shade)


def draw_back_hair(canvas: Canvas, person: Person) -> None:
    """Draw the hair behind the head: long hair falls beside the neck."""
    reach = 0.2 + 1.5 * person.hair_length
    width = person.face_width + 0.10 + person.hair_volume
    if person.hair_length > 0.3:
        side = [[-width, -0.2], [-width - 0.05, reach], [width + 0.05, reach], [width, -0.2]]
        canvas.fill(np.array(side), mix(_hair_colour(person), (0, 0, 0), 0.25))
    canvas.fill(ellipse(0, -0.22, width, 0.85 + 0.6 * person.hair_volume), _hair_colour(person))


def draw_head(canvas: Canvas, person: Person) -> None:
    """Draw ears and face with their soft shading and the skin's texture."""
    for side in (-1, 1):
        canvas.fill(ellipse(side * (person.face_width + 0.03), 0.08, 0.10, 0.20), mix(person.skin, (150, 60, 40), 0.15))
    outline = face_outline(person)
    canvas.fill(outline, person.skin)
    canvas.shade(outline[5:40], 0.22, 0.10)
    for side in (-1, 1):
        canvas.shade(ellipse(side * 0.72 * person.face_width, 0.30, 0.10, 0.36), 0.10)
    canvas.settle(0.07)
    _draw_texture(canvas, person, outline)


def _draw_texture(canvas: Canvas, person: Person, outline: Points) -> None:
    """Roughen the skin: fine grain and a few spots that come with age."""
    generator = np.random.default_rng(person.texture_seed)
    height, width = canvas.image.shape[:2]
    coarse = generator.normal(0, 1, (height // 5, width // 5)).astype(np.float32)
    grain = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR) * (1.5 + 9.0 * person.texture)
    skin = canvas.inside(outline)
    canvas.image[skin] = (canvas.image[skin] + grain[skin][:, None]).clip(0, 255).astype(np.uint8)
    for _ in range(int(14 * max(0.0, person.texture - 0.35))):
        x, y = generator.uniform(-0.55, 0.55), generator.uniform(-0.7, 0.6)
        size = generator.uniform(0.012, 0.03)
        canvas.fill(ellipse(x, y, size, size), mix(person.skin, (95, 55, 35), generator.uniform(0.25, 0.5)))


def draw_front_hair(canvas: Canvas, person: Person) -> None:
    """Draw the hairline, strand by strand; grey comes in strands, too."""
    generator = np.random.default_rng(person.texture_seed + 1)
    crown = -1.0 - person.hair_volume
    line = -0.62 - 0.36 * person.receding
    edge = person.face_width + 0.06
    temple = -0.25 + 0.2 * person.hair_length - 0.25 * person.receding
    top = ellipse(0, -0.28, edge + person.hair_volume * 0.5, -crown - 0.28, 180, 360)
    dip = 0.18 * person.receding
    front = curve((edge, temple), (0.5 * edge, line - dip), (person.parting * edge, line + 0.06), (-edge, temple))
    canvas.fill(np.vstack([top, front]), _hair_colour(person))
    for _ in range(90):
        start = float(generator.uniform(-edge, edge))
        root = float(np.interp(start, front[::-1, 0], front[::-1, 1]))
        crest = crown * np.sqrt(max(0.05, 1 - (start / (edge + 0.15)) ** 2))
        light = generator.normal(0, 0.12)
        base = WHITE_HAIR if generator.random() < person.grey * 0.9 else person.hair
        colour = mix(base, (255, 255, 255) if light > 0 else (0, 0, 0), abs(light))
        canvas.stroke(curve((start * 0.85, crest), (start * 1.02, (crest + root) / 2), (start, root)), colour, 0.012)


def _hair_colour(person: Person) -> Colour:
    return mix(person.hair, WHITE_HAIR, 0.75 * person.grey)
