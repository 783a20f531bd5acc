"""The preflight trains what a search would train: what fails there never fails in every trial."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import timm
import torch
from torch import Tensor, nn

from plugins import BACKBONES, LOSSES
from plugins.loading import load_plugin, unload_plugin
from plugins.sources import plugin_at
from tests.toys.training import TINY
from trainables.config import TrainConfig, configured
from trainables.preflight.__main__ import check_model, images_per_second
from trainables.preflight.process import Preflight, PreflightError
from trainables.training.devices import Resources
from trainables.training.models import ModelError
from trainables.training.optimization.freezing import LayerError


def config(**knobs: object) -> TrainConfig:
    return TrainConfig(**{**TINY, "weights": "none", **knobs})


def check(**knobs: object) -> None:
    check_model(config(**knobs), 3, Resources(), None)


@pytest.fixture
def registered() -> Iterator[None]:
    @LOSSES.register("broken")
    def broken(logits: Tensor, targets: Tensor) -> Tensor:
        raise TypeError("no such operation on this device")

    @BACKBONES.register("narrow")
    def narrow(outputs: int) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(3 * 8 * 8, outputs))

    yield
    for registry, name in ((LOSSES, "broken"), (BACKBONES, "narrow")):
        for kept in (registry._items, registry._options, registry._knobs):
            kept.pop(name)  # type: ignore[attr-defined]


def test_what_trains_passes() -> None:
    check()
    check(head="ordinal", kept_weights="ema", deterministic=True)


def test_a_loss_that_raises_is_found_before_the_first_trial(registered: None) -> None:
    with pytest.raises(ModelError, match="cannot be trained here: TypeError: no such operation on this device"):
        check(loss="broken")


def test_a_backbone_that_cannot_take_the_images_is_found(registered: None) -> None:
    with pytest.raises(ModelError, match="narrow cannot take images of 32 pixels"):
        check(backbone="narrow")


def test_layers_are_asked_for_only_where_they_matter() -> None:
    assert not hasattr(timm.create_model("pit_ti_224"), "group_matcher"), "or the case is gone"
    pit = {"backbone": "pit_ti_224", "image_size": 224}
    check(**pit)
    with pytest.raises(LayerError, match="pit_ti_224 cannot say which layers it has, so layer_decay does not work"):
        check(**pit, layer_decay=0.9)


def test_the_speed_is_that_of_a_trials_own_steps() -> None:
    torch.set_num_threads(1)
    assert images_per_second(config(), 3, 2, Resources()) > 1


@pytest.mark.slow
def test_the_preflight_trains_as_many_classes_as_the_data_have(tmp_path: Path) -> None:
    """A loss with a weight for each of three classes is no error of a study with three."""
    plugin = tmp_path / "weighted.py"
    plugin.write_text(WEIGHTED)
    load_plugin(plugin_at(plugin))
    try:
        for classes, told in ((3, None), (2, "cannot be trained here")):
            preflight = Preflight([configured({**TINY, "weights": "none", "loss": "weighted"})], plugins=[plugin])
            preflight.go_on(classes)
            if told is None:
                assert preflight.check() == preflight.check() == [], "asked again it says the same"
            else:
                with pytest.raises(PreflightError, match=told):
                    preflight.check()
    finally:
        unload_plugin("weighted")


WEIGHTED = """
import torch
from torch.nn.functional import cross_entropy

from plugins import LOSSES


@LOSSES.register("weighted")
def weighted(logits, targets):
    return cross_entropy(logits, targets, weight=torch.tensor([1.0, 2.0, 3.0]), reduction="none")
"""
