"""Backbones: registered ones and timm's models, built as a configuration asks, with weights from where it says."""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import timm
import torch
from torch import nn

import plugins
from plugins.registry import Registry, arguments_for
from trainables.config import TrainConfig
from trainables.training.weights.file import KINDS, file_of
from trainables.training.weights.packaged import PACKAGED, packaged_weights
from trainables.training.weights.users_own import load_weights_file

# A backbone of one's own: a function of the number of outputs, and of its knobs as keyword-only arguments.
BACKBONES: Registry[Callable[..., nn.Module]] = plugins.BACKBONES
_CLASSIFIER_STD = 0.02
_built: set[tuple[object, int, str]] = (
    set()
)  # registered backbones, outputs and arguments that this process has built before


class ModelError(ValueError):
    """A backbone that does not exist, does not fit the configuration, or whose weights cannot be had."""


def seeded_model(config: TrainConfig, outputs: int, seed: int) -> nn.Module:
    """Return the model that a seed draws: the same in every process, whatever the process has built before.

    Raises:
        ModelError: as `make_model`.
    """
    _fill_caches(config, outputs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make_model(config, outputs)


def _fill_caches(config: TrainConfig, outputs: int) -> None:
    """Do what a backbone does once per process, such as imports and reading weights: it may draw random numbers."""
    name = config.backbone
    if name in PACKAGED and config.weights == "imagenet":
        packaged_weights(name)
    if name in BACKBONES:
        build = BACKBONES[name]
        arguments = arguments_for(build, config)
        built = (build, outputs, repr(sorted(arguments.items())))
        if built not in _built:
            with torch.random.fork_rng(devices=[]):
                build(outputs, **arguments)
            _built.add(built)


def make_model(config: TrainConfig, outputs: int) -> nn.Module:
    """Return the model that a configuration describes; its classifier is fresh also when the rest is loaded.

    Raises:
        ModelError: unknown backbone, one that cannot do what the configuration asks, or weights out of reach.
    """
    if config.backbone in BACKBONES:
        build = BACKBONES[config.backbone]
        model = _with_layers(build(outputs, **arguments_for(build, config)))
        return model if config.weights in KINDS else _with_users_weights(model, config)
    model = _timm_model(config, outputs)
    if config.head_hidden:
        _widen_head(model, config, outputs)
    if config.weights == "none":
        return model
    if config.weights != "imagenet":
        _with_users_weights(model, config)
    elif config.backbone in PACKAGED:
        fresh = {name: value for name, value in model.state_dict().items() if is_classifier(model, name)}
        packaged = packaged_weights(config.backbone).items()
        model.load_state_dict({**{name: value for name, value in packaged if not is_classifier(model, name)}, **fresh})
    return _with_calm_classifier(model)


def _with_layers(model: nn.Module) -> nn.Module:
    """Return a user's own model with its children as layers, if it does not say what they are, in timm's way."""
    if not hasattr(model, "group_matcher"):
        children = {name: rf"^{re.escape(name)}\." for name, _ in model.named_children()}
        model.group_matcher = lambda coarse=False: children  # type: ignore[assignment]
    return model


def _with_users_weights(model: nn.Module, config: TrainConfig) -> nn.Module:
    return load_weights_file(model, file_of(config.weights), config.backbone, classifier_name(model))


def _timm_model(config: TrainConfig, outputs: int) -> nn.Module:
    """Return timm's model, from the hub's or its cache's weights where those are wanted and no package has them."""
    name = config.backbone
    if not timm.is_model(name):
        close = get_close_matches(name, [*BACKBONES, *timm.list_models()], n=4, cutoff=0.3)
        raise ModelError(f"constants.backbone: timm has no model {name!r}; near it are: {', '.join(close)}")
    from_hub = config.weights == "imagenet" and name not in PACKAGED
    options = {"num_classes": outputs, "drop_rate": config.drop_rate, "pretrained": from_hub, **_asked(config)}
    try:
        model: nn.Module = timm.create_model(name, **options)
    except (TypeError, AssertionError) as error:  # an argument that this architecture does not have
        raise ModelError(_not_for_this_backbone(config, error)) from None
    except Exception as error:  # the hub client raises many kinds: no network, no such file, no weights
        if not from_hub:
            raise ModelError(f"{name} cannot be built: {str(error).splitlines()[0]}") from None
        raise ModelError(
            f"the ImageNet weights of {name} cannot be fetched ({type(error).__name__}); set constants.weights=none,"
            f" name a file of yours, or take a backbone whose weights are packaged: {', '.join(PACKAGED)}"
        ) from None
    return model


def _asked(config: TrainConfig) -> dict[str, Any]:
    """Return what a configuration asks of a timm model beside its usual form."""
    asked: dict[str, Any] = {}
    if config.drop_path_rate:
        asked["drop_path_rate"] = config.drop_path_rate
    if config.global_pool != "default":
        asked["global_pool"] = config.global_pool
    settings = timm.get_pretrained_cfg(config.backbone)
    if settings is not None and settings.fixed_input_size:
        asked["img_size"] = config.image_size
    return asked


def own_size(backbone: str) -> int | None:
    """Return the image size in pixels that a backbone was made for, None if nothing is known of it."""
    settings = None if backbone in BACKBONES else timm.get_pretrained_cfg(backbone)
    return None if settings is None else int(settings.input_size[-1])


def _not_for_this_backbone(config: TrainConfig, error: Exception) -> str:
    """Return why a backbone cannot be built, in the words of the configuration."""
    message, settings = str(error), timm.get_pretrained_cfg(config.backbone)
    for knob in ("drop_path_rate", "global_pool"):
        if knob in message:
            return f"{config.backbone} knows no {knob}; leave it at its default, or take another backbone"
    if "img_size" in message and settings is not None:
        return f"{config.backbone} takes images of {own_size(config.backbone)} pixels alone; set constants.image_size to that"
    return f"{config.backbone} cannot be built ({message.splitlines()[0] if message else type(error).__name__})"


def _widen_head(model: nn.Module, config: TrainConfig, outputs: int) -> None:
    """Put a hidden layer before the classifier."""
    classifier = model.get_classifier()  # type: ignore[operator]
    place = classifier_name(model)
    if not isinstance(classifier, nn.Linear) or place is None:
        raise ModelError(f"{config.backbone} has no linear classifier that head_hidden could widen; set it to 0")
    hidden = nn.Linear(classifier.in_features, config.head_hidden)
    layers = nn.Sequential(hidden, nn.GELU(), nn.Dropout(config.drop_rate), nn.Linear(config.head_hidden, outputs))
    parent, _, name = place.rpartition(".")
    setattr(model.get_submodule(parent), name, layers)


def classifier_name(model: nn.Module) -> str | None:
    """Return the name of a timm model's classifier below the model, None if it says none."""
    settings = getattr(model, "pretrained_cfg", None) or {}
    name = settings.get("classifier")
    return name if isinstance(name, str) else None


def is_classifier(model: nn.Module, parameter: str) -> bool:
    """Tell whether a parameter belongs to a model's classifier."""
    name = classifier_name(model)
    return name is not None and parameter.startswith(f"{name}.")


def _with_calm_classifier(model: nn.Module) -> nn.Module:
    """Return the model with small fresh classifier weights.

    timm spreads an EfficientNet's classifier by the number of classes alone; for three classes its first
    loss is about 6 instead of 1.1, and the first epoch is spent on getting down.
    """
    classifier = model.get_submodule(classifier_name(model) or "")
    last = classifier[-1] if isinstance(classifier, nn.Sequential) else classifier
    if isinstance(last, nn.Linear):
        nn.init.trunc_normal_(last.weight, std=_CLASSIFIER_STD)
        nn.init.zeros_(last.bias)
    return model


def normalisation(backbone: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return mean and standard deviation per channel (of pixels from 0 to 1) that the weights were trained with."""
    settings = None if backbone in BACKBONES else timm.get_pretrained_cfg(backbone)
    if settings is None:
        return (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return tuple(settings.mean), tuple(settings.std)
