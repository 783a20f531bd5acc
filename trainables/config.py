"""TrainConfig: every knob of a trial, with its type, bounds, default, unit, condition and source.

Spaces, `--set`, documentation and manifests all come from this model; there is no second list of names.
`python -m trainables.config [PLUGIN.py ...]` prints the knobs as a table, with those that plugins bring.
"""

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from pydantic import create_model

from datasets.augmentations import AUGMENTATIONS
from plugins import BACKBONES
from plugins.loading import load_plugin
from plugins.registry import Knob, PluginError, Registry
from plugins.sources import plugin_at
from trainables.knobs.images import ImageKnobs
from trainables.knobs.knob import OR, about, holds, spelled
from trainables.knobs.model import ModelKnobs
from trainables.knobs.optimization import OptimizationKnobs
from trainables.knobs.optimizer_options import gathered
from trainables.knobs.target import LossKnobs
from trainables.training.heads.registry import HEADS
from trainables.training.losses import LOSSES
from trainables.training.weights.file import digest_of

# by knobs of the same names
_CHOSEN: tuple[Registry[Any], ...] = (LOSSES, HEADS, AUGMENTATIONS, BACKBONES)
_BUILT_BY = (
    *("backbone", "image_size", "global_pool", "head", "head_hidden", "test_flip"),
    *("regression_sigma", "thresholds", "distribution_bins", "distribution_sigma"),
)
_OF_TIMM = ("drop_rate", "drop_path_rate", "global_pool", "head_hidden")  # a registered backbone takes what it names


class TrainConfig(OptimizationKnobs, LossKnobs, ImageKnobs, ModelKnobs):
    """The whole configuration of a trial."""

    renamed_knobs: ClassVar[Mapping[str, str]] = {
        "pretrained": "is called weights by now: imagenet (was true), none (was false), or a file of yours"
    }

    @classmethod
    def idle_because(cls, name: str, reachable: Mapping[str, Sequence[Any]]) -> str | None:
        """Return why a knob does nothing when every knob has one of its reachable values, None if it may do something."""
        if any(item in reachable[chosen] for chosen, item in _takers().get(name, ())):
            return None
        if name in _OF_TIMM and all(backbone in BACKBONES for backbone in reachable["backbone"]):
            return (
                f"no backbone here takes it: {' and '.join(map(str, reachable['backbone']))} build models of their own"
            )
        when = about(cls.model_fields[name]).get("when", {}) if name in cls.model_fields else {}
        for others, wanted in when.items():
            values = {other: reachable[other] for other in others.split(OR)}
            if not any(holds(wanted, value) for of_one in values.values() for value in of_one):
                there = ", ".join(f"{other} is {OR.join(map(str, of_one))}" for other, of_one in values.items())
                return f"it needs {spelled({others: wanted})}, and {there}"
        return None

    def classifier(self) -> dict[str, Any]:
        """Return the knobs that the model and its judgement are made by: what has to be known to load its weights."""
        taken = (*BACKBONES.options().get(self.backbone, ()), *HEADS.options().get(self.head, ()))
        return self.model_dump(include={*_BUILT_BY, *taken})

    def effective(self) -> dict[str, Any]:
        """Return the configuration less the knobs that do nothing under the others; `light` without mirror images is `none`."""
        if self.augmentation == "light" and not self.horizontal_flip:
            return self.model_copy(update={"augmentation": "none"}).effective()
        return {name: value for name, value in self.model_dump().items() if self._does_something(name)}

    def _does_something(self, name: str) -> bool:
        """Tell whether a knob's condition holds, or an item that takes the knob is chosen."""
        takers = _takers().get(name, ())
        if any(getattr(self, chosen) == item and self._does_something(chosen) for chosen, item in takers):
            return True
        if name in _brought():
            return False
        if name in _OF_TIMM and self.backbone in BACKBONES:
            return False
        when = about(type(self).model_fields[name]).get("when", {})
        return all(
            any(holds(wanted, getattr(self, other)) and self._does_something(other) for other in others.split(OR))
            for others, wanted in when.items()
        )

    @property
    def digest(self) -> str:
        """Return a hash of the effective configuration: equal for configurations that train alike.

        A knob at its baseline is left out, so that a configuration of before there was that knob keeps its hash; `weights`
        are hashed as they were when the knob was called `pretrained`, and a file of weights by its content.
        """
        hashed = {name: value for name, value in self.effective().items() if value != baselines()[name]}
        if hashed.get("weights") == "none":
            hashed["pretrained"] = not hashed.pop("weights")
        elif "weights" in hashed:
            hashed["weights"] = digest_of(hashed["weights"])
        return hashlib.sha256(json.dumps(hashed, sort_keys=True).encode()).hexdigest()[:16]


def train_config() -> type[TrainConfig]:
    """Return `TrainConfig` with the knobs that plugins have registered.

    Raises:
        PluginError: one of them has the name of another knob, or an item takes a knob that nobody has.
    """
    extended = _extended(tuple(knob for registry in _CHOSEN for knob in registry.knobs()))
    for name, takers in _takers().items():
        if name not in extended.model_fields:
            chosen_by, item = takers[0]
            raise PluginError(f"{chosen_by} {item}: there is no knob {name!r}; give it a default, and it is a new one")
    return extended


def configured(values: Mapping[str, Any]) -> TrainConfig:
    """Return a configuration that a study has stored or a sampler drawn; a knob it lacks is at its baseline."""
    return train_config()(**gathered({**baselines(), **renamed(values)}))


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values that an older version wrote under the names of today."""
    if "pretrained" not in values:
        return dict(values)
    kept = {name: value for name, value in values.items() if name != "pretrained"}
    return {"weights": "imagenet" if values["pretrained"] else "none", **kept}


def baselines() -> dict[str, Any]:
    """Return the value of every knob under which a trial is what it was before there was the knob.

    It is the first default that the knob ever had: whoever changes a default states the old one as `baseline`.
    """
    return {name: about(field).get("baseline", field.default) for name, field in train_config().model_fields.items()}


@cache
def _extended(brought: tuple[Knob, ...]) -> type[TrainConfig]:
    fields: dict[str, Any] = {}
    for knob in brought:
        if hasattr(TrainConfig, knob.name) and knob.name not in TrainConfig.model_fields:
            raise PluginError(f"{knob.chosen_by} {knob.item}: a knob cannot be called {knob.name!r}; rename it")
        if knob.name in TrainConfig.model_fields or knob.name in fields:
            raise PluginError(
                f"{knob.chosen_by} {knob.item}: there is a knob {knob.name!r} already; rename it, or leave its default out to"
                " use the one that is there"
            )
        fields[knob.name] = (knob.annotation, knob.default)
    return create_model("TrainConfig", __base__=TrainConfig, **fields) if fields else TrainConfig


def _takers() -> dict[str, list[tuple[str, str]]]:
    """Return for every knob which registered items take it, each as (the knob that chooses it, its name)."""
    takers: dict[str, list[tuple[str, str]]] = {}
    for registry in _CHOSEN:
        for item, names in registry.options().items():
            for name in names:
                takers.setdefault(name, []).append((registry.knob or "", item))
    return takers


def _brought() -> set[str]:
    """Return the knobs that plugins have registered."""
    return {knob.name for registry in _CHOSEN for knob in registry.knobs()}


if __name__ == "__main__":
    from trainables.knobs.table import knob_table

    for source in sys.argv[1:]:
        load_plugin(plugin_at(Path(source)))
    print(knob_table())
