"""The augmentations by the name that `augmentation` gives them; the library behind them is imported by who trains.

An augmentation is a function of its own knobs, all keyword-only, that returns a list of albumentations transforms for
uint8 images; `[]` leaves images as they are.
"""

from collections.abc import Callable
from typing import Any

import plugins
from plugins.registry import Registry

AUGMENTATIONS: Registry[Callable[..., list[Any]]] = plugins.AUGMENTATIONS

for _strength in ("none", "light", "medium", "strong"):
    AUGMENTATIONS.add(_strength, f"datasets.transforms:{_strength}")
