"""WHERE OTHERS PLUG IN: the registries, and the loader of a user's own modules."""

from plugins.kinds import (
    AUGMENTATIONS,
    BACKBONES,
    HEADS,
    LISTENERS,
    LOSSES,
    METRICS,
    REGISTRIES,
    SAMPLERS,
    SOURCES,
    STRATEGIES,
    TRACKERS,
    VOTE_RULES,
)
from plugins.registry import PluginError

__all__ = [
    "AUGMENTATIONS",
    "BACKBONES",
    "HEADS",
    "LISTENERS",
    "LOSSES",
    "METRICS",
    "REGISTRIES",
    "SAMPLERS",
    "SOURCES",
    "STRATEGIES",
    "TRACKERS",
    "VOTE_RULES",
    "PluginError",
]
