"""Augmentation by strength, on uint8 images; applied to training images only. Each strength contains the weaker ones."""

from typing import Any

import cv2
import numpy as np

from datasets.augmentations import AUGMENTATIONS
from datasets.images import Pixels

import albumentations as A  # noqa: N812, isort: skip  (the library's own convention)

HOLES = {"hole_height_range": (0.1, 0.25), "hole_width_range": (0.1, 0.25)}  # of a side


def none() -> list[A.BasicTransform]:
    """Return nothing."""
    return []


def light(*, horizontal_flip: float) -> list[A.BasicTransform]:
    """Return mirror images with this probability."""
    return [A.HorizontalFlip(p=horizontal_flip)] if horizontal_flip else []


def medium(*, horizontal_flip: float) -> list[A.BasicTransform]:
    """Return mirror images, small moves and small changes of the light."""
    return [*light(horizontal_flip=horizontal_flip), *_moved_and_lit(reach=0.06, light_change=0.2)]


def strong(*, horizontal_flip: float) -> list[A.BasicTransform]:
    """Return larger moves and changes of the light, other colours, holes, blur and noise."""
    colour_and_holes = [
        A.HueSaturationValue(8, 20, 10, p=0.4),
        A.CoarseDropout(num_holes_range=(1, 2), **HOLES, p=0.4),
    ]
    blur_and_noise = [A.GaussianBlur(sigma_limit=(0.3, 1.0), p=0.2), A.GaussNoise(std_range=(0.01, 0.04), p=0.2)]
    mirrored, moved = light(horizontal_flip=horizontal_flip), _moved_and_lit(reach=0.12, light_change=0.1 * 3)
    return [*mirrored, *moved, *colour_and_holes, *blur_and_noise]


def _moved_and_lit(reach: float, light_change: float) -> list[A.BasicTransform]:
    move = A.Affine(
        scale=(1 - 1.5 * reach, 1 + 1.5 * reach),
        translate_percent=(-reach, reach),
        rotate=(-150 * reach, 150 * reach),
        border_mode=cv2.BORDER_REFLECT_101,
        p=0.7,
    )
    return [move, A.RandomBrightnessContrast(light_change, light_change, p=0.5)]


def make_transform(name: str, **knobs: Any) -> A.Compose:
    """Return the pipeline of a registered augmentation, with the knobs that it takes."""
    return A.Compose(AUGMENTATIONS[name](**knobs), seed=0)


def augment(images: Pixels, transform: A.Compose, seed: int) -> Pixels:
    """Return a batch (N x H x W x 3) augmented; the same seed gives the same pixels."""
    if not transform.transforms:
        return images
    transform.set_random_seed(seed)
    return np.stack([transform(image=image)["image"] for image in images])
