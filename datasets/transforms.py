"""Augmentation by strength, on uint8 images; applied to training images only."""

import cv2
import numpy as np

from datasets.images import Pixels

import albumentations as A  # noqa: N812, isort: skip  (the library's own convention)

STRENGTHS = ("none", "light", "medium", "strong")


def make_transform(strength: str) -> A.Compose:
    """Return the pipeline of one strength; each contains the weaker ones."""
    level = STRENGTHS.index(strength)
    steps: list[A.BasicTransform] = []
    if level >= 1:
        steps.append(A.HorizontalFlip(p=0.5))
    if level >= 2:
        reach = 0.06 * (level - 1)
        move = A.Affine(
            scale=(1 - 1.5 * reach, 1 + 1.5 * reach),
            translate_percent=(-reach, reach),
            rotate=(-150 * reach, 150 * reach),
            border_mode=cv2.BORDER_REFLECT_101,
            p=0.7,
        )
        steps += [move, A.RandomBrightnessContrast(0.1 * level, 0.1 * level, p=0.5)]
    if level >= 3:
        hole = {"hole_height_range": (0.1, 0.25), "hole_width_range": (0.1, 0.25)}
        steps += [A.HueSaturationValue(8, 20, 10, p=0.4), A.CoarseDropout(num_holes_range=(1, 2), **hole, p=0.4)]
        steps += [A.GaussianBlur(sigma_limit=(0.3, 1.0), p=0.2), A.GaussNoise(std_range=(0.01, 0.04), p=0.2)]
    return A.Compose(steps, seed=0)


def augment(images: Pixels, transform: A.Compose, seed: int) -> Pixels:
    """Return a batch (N x H x W x 3) augmented; the same seed gives the same pixels."""
    if not transform.transforms:
        return images
    transform.set_random_seed(seed)
    return np.stack([transform(image=image)["image"] for image in images])
