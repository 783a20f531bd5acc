"""A user's own weights: a safetensors file or a state_dict, of the same backbone; the classifier may be another."""

import logging
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from trainables.training.weights.file import WeightsError

logger = logging.getLogger(__name__)
_ENOUGH = 0.5  # of the model's weights outside the classifier: less is another backbone's
_WRAPPERS = ("state_dict", "model", "model_state_dict", "state_dict_ema")
_PREFIXES = ("module.", "model.", "backbone.")


def load_weights_file(model: nn.Module, path: Path, backbone: str) -> nn.Module:
    """Load what fits into a model and say what did not; the classifier keeps its fresh weights unless it fits, too.

    Raises:
        WeightsError: the file cannot be read, or is of another backbone.
    """
    given, own = read_weights(path), model.state_dict()
    fitting = {name: value for name, value in given.items() if name in own and value.shape == own[name].shape}
    missing = [name for name in own if name not in fitting and not name.endswith("num_batches_tracked")]
    if len(own) - len(missing) < _ENOUGH * len(own):
        raise WeightsError(
            f"weights: {path} has {len(fitting)} of the {len(own)} tensors of {backbone} ({', '.join(missing[:3])}, ... are"
            " missing or of another shape): it is of another backbone; name that one, or another file"
        )
    model.load_state_dict(fitting, strict=False)
    left = sorted(given.keys() - fitting.keys())
    logger.warning("weights: %s", spelled(path, len(fitting), missing, left))
    return model


def spelled(path: Path, loaded: int, missing: list[str], left: list[str]) -> str:
    """Return what of a file was loaded and what was not, in one line."""
    fresh = f"; fresh: {', '.join(missing[:6])}{', ...' if len(missing) > 6 else ''}" if missing else ""
    unused = f"; not used: {', '.join(left[:6])}{', ...' if len(left) > 6 else ''}" if left else ""
    return f"{loaded} tensors loaded from {path.name}{fresh}{unused}"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name, wrappers such as {'state_dict': ...} and prefixes such as 'module.' taken off.

    Raises:
        WeightsError: it is damaged, or holds anything but tensors.
    """
    try:
        read: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # every kind of damage has its own
        raise WeightsError(
            f"weights: {path} cannot be read ({str(error).splitlines()[0][:120]}); save a state_dict, or safetensors"
        ) from None
    for wrapper in _WRAPPERS:
        read = read[wrapper] if isinstance(read, dict) and isinstance(read.get(wrapper), dict) else read
    if not isinstance(read, dict) or not all(isinstance(value, Tensor) for value in read.values()):
        raise WeightsError(f"weights: {path} is no state_dict; save model.state_dict()")
    for prefix in _PREFIXES:
        if read and all(name.startswith(prefix) for name in read):
            read = {name.removeprefix(prefix): value for name, value in read.items()}
    tensors: dict[str, Tensor] = read
    return tensors
