"""Layers that stay as they were loaded: a share of the backbone's, from the input on, for the first epochs."""

from typing import Any, cast

from timm.models._manipulate import group_parameters
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from trainables.config import TrainConfig

_WHOLE = {"frozen_share": 0.0, "layer_decay": 1.0}  # under which a model need not be known layer by layer


class LayerError(ValueError):
    """A model whose layers cannot be told apart."""


def layers_of(model: nn.Module) -> list[list[str]]:
    """Return the names of a model's parameters layer by layer, from the input on; the head comes last.

    timm's own grouping, which layer-wise decay uses, too.
    """
    grouped = group_parameters(model, cast(Any, model).group_matcher(coarse=False), reverse=False)
    return [list(names) for _, names in sorted(grouped.items())]


def check_layers(model: nn.Module, config: TrainConfig) -> None:
    """Check that a model is known layer by layer where its configuration freezes layers or slows them down.

    Raises:
        LayerError: it cannot say which layers it has, as some of timm's, or has one alone.
    """
    by_layer = {"frozen_share": config.frozen_share != 0, "layer_decay": config.layer_decay != 1}
    for knob in (knob for knob, asks in by_layer.items() if asks and not hasattr(model, "group_matcher")):
        raise LayerError(
            f"{config.backbone} cannot say which layers it has, so {knob} does not work with it; --set {knob}={_WHOLE[knob]}"
        )
    if config.frozen_share and len(layers_of(model)) < 2:
        raise LayerError(
            f"{config.backbone} is of one layer: there is nothing that frozen_share could freeze; set it to 0"
        )


class Freezing:
    """Which parameters of a model rest in an epoch; a pure function of the epoch, so nothing has to be saved."""

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        layers = layers_of(model) if config.frozen_share else []  # not every model of timm's can say which it has
        frozen = layers[: round(config.frozen_share * (len(layers) - 1))]
        self._model, self._epochs = model, config.frozen_epochs
        self._names = {name for layer in frozen for name in layer}

    def apply(self, epoch: int) -> None:
        """Have the frozen parameters rest, or move, in an epoch counted from 0; call it after `model.train()`."""
        if not self._names:
            return
        moves = epoch >= self._epochs
        for name, parameter in self._model.named_parameters():
            if name in self._names:
                parameter.requires_grad_(moves)
        for name, module in self._model.named_modules():
            if isinstance(module, _BatchNorm) and f"{name}.weight" in self._names:
                module.train(moves)  # its statistics rest, too
