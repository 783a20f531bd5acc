"""A user's own weights: a safetensors file or a state_dict, of the same backbone; the classifier is left fresh."""

import logging
import sys
from argparse import Namespace
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from trainables.training.weights.file import WeightsError

logger = logging.getLogger(__name__)
_ENOUGH = 0.95  # of the model's tensors, and of the file's: fewer in common are another backbone's
_COUNTER = "num_batches_tracked"  # of batch norm, which not every file keeps
_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model", "model_state_dict")  # the averaged ones first
_PREFIXES = ("module.", "model.", "backbone.")


def load_weights_file(model: nn.Module, path: Path, backbone: str, classifier: str | None) -> nn.Module:
    """Load a file's weights into a model, but for its classifier, and say what was loaded and what was not.

    Raises:
        WeightsError: the file cannot be read, is of another backbone, or holds what is no number.
    """
    own = {name: value for name, value in model.state_dict().items() if not _belongs(name, classifier)}
    given = _adapted(model, read_weights(path))
    fitting = {name: value for name, value in given.items() if name in own and value.shape == own[name].shape}
    missing = [name for name in own if name not in fitting and not name.endswith(_COUNTER)]
    unused = [name for name in given if name not in fitting and not _belongs(name, classifier)]
    _check_backbone(path, backbone, own, missing, unused)
    if broken := next((name for name, value in fitting.items() if not value.isfinite().all()), None):
        raise WeightsError(f"weights: {path}: {broken} holds what is no number; take another file")
    model.load_state_dict(fitting, strict=False)
    logger.warning("weights: %s", spelled(path, len(fitting), missing, unused))
    return model


def spelled(path: Path, loaded: int, missing: Collection[str], unused: Collection[str]) -> str:
    """Return what of a file was loaded and what was not, in one line."""
    return f"{loaded} tensors loaded from {path.name}; fresh: {_few(['the classifier', *missing])}" + (
        f"; not used: {_few(unused)}" if unused else ""
    )


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name, wrappers such as {'state_dict': ...} and prefixes such as 'module.' taken off.

    Raises:
        WeightsError: it is damaged, or holds anything but tensors.
    """
    try:
        with torch.serialization.safe_globals([Namespace]):  # timm's checkpoints hold the options of their training
            read: Any = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # every kind of damage has its own
        raise WeightsError(
            f"weights: {path} cannot be read ({str(error).splitlines()[0][:120]}); save a state_dict, or safetensors"
        ) from None
    for wrapper in _WRAPPERS:
        read = read[wrapper] if isinstance(read, dict) and isinstance(read.get(wrapper), dict) else read
    if not isinstance(read, dict) or not all(
        isinstance(name, str) and isinstance(value, Tensor) for name, value in read.items()
    ):
        raise WeightsError(f"weights: {path} is no state_dict; save model.state_dict()")
    for prefix in _PREFIXES:
        if read and all(name.startswith(prefix) for name in read):
            read = {name.removeprefix(prefix): value for name, value in read.items()}
    tensors: dict[str, Tensor] = read
    return tensors


def _adapted(model: nn.Module, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as timm would load them: old names renewed, positions resampled to the model's image size."""
    module = sys.modules[type(model).__module__]
    adapt: Callable[..., dict[str, Tensor]] | None = getattr(module, "checkpoint_filter_fn", None)
    return given if adapt is None else adapt(dict(given), model)


def _check_backbone(
    path: Path, backbone: str, own: Collection[str], missing: Collection[str], unused: Collection[str]
) -> None:
    """Refuse a file that lacks much of a backbone, or has much that it does not have."""
    lacks, differs = len(missing) / len(own), len(unused) / (len(own) - len(missing) + len(unused))
    if max(lacks, differs) > 1 - _ENOUGH:
        raise WeightsError(
            f"weights: {path} is of another backbone than {backbone}: it lacks {len(missing)} of {len(own)} tensors"
            f" ({_few(missing)}) and has {len(unused)} others ({_few(unused)}); name that backbone, or another file"
        )


def _belongs(name: str, classifier: str | None) -> bool:
    return classifier is not None and name.startswith(f"{classifier}.")


def _few(names: Collection[str]) -> str:
    return f"{', '.join(list(names)[:4])}{', ...' if len(names) > 4 else ''}" or "none"
