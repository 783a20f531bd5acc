"""Everything that can be registered: one registry a kind, the same for what is built in and for a user's own.

The folder that uses a kind says what its items must be; docs/extending.md has an example of each.
"""

from typing import Any

from plugins.registry import Registry

LOSSES: Registry[Any] = Registry("loss", knob="loss")  # trainables/training/losses.py
HEADS: Registry[Any] = Registry("head", knob="head")  # trainables/training/heads
AUGMENTATIONS: Registry[Any] = Registry("augmentation", knob="augmentation")  # datasets/augmentations.py
BACKBONES: Registry[Any] = Registry("backbone", knob="backbone")  # trainables/training/models.py
SOURCES: Registry[Any] = Registry("data source")  # datasets/sources/opening.py
SAMPLERS: Registry[Any] = Registry("sampler")  # schedulers/samplers/registry.py
STRATEGIES: Registry[Any] = Registry("strategy")  # schedulers/strategies
VOTE_RULES: Registry[Any] = Registry("vote rule")  # voting/rules.py
METRICS: Registry[Any] = Registry("metric")  # studies/metrics.py
LISTENERS: Registry[Any] = Registry("listener")  # launch/listeners.py
TRACKERS: Registry[Any] = Registry("tracking tool")  # analysis/tracking/tracker.py

REGISTRIES = (
    LOSSES,
    HEADS,
    AUGMENTATIONS,
    BACKBONES,
    SOURCES,
    SAMPLERS,
    STRATEGIES,
    VOTE_RULES,
    METRICS,
    LISTENERS,
    TRACKERS,
)
