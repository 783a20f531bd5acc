"""A model's weights from a bundle: nothing votes whose names, shapes, kinds or values are not a model's."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import nn

from storage.tensors import load_state
from voting.bundle.specs import BundleError

_WAY_OUT = "export again, or restore it"


def load_weights(model: nn.Module, file: Path) -> None:
    """Give a model the weights in a file.

    Raises:
        BundleError: the file is damaged, or holds something else than weights of this model; names the first that differs.
    """
    try:
        state = load_state(file)
    except (SafetensorError, ValueError) as error:
        raise BundleError(f"{file}: holds no weights ({error}); {_WAY_OUT}") from None
    if wrong := _difference(state, model.state_dict()):
        raise BundleError(f"{file}: {wrong}, so these are no weights of this model; {_WAY_OUT}")
    model.load_state_dict(state)


def _difference(state: object, own: dict[str, torch.Tensor]) -> str | None:
    """Return the first difference between the tensors of a file and those of a model, None if they fit."""
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        return "it is no list of tensors by name"
    if odd := [*(own.keys() - state.keys()), *(state.keys() - own.keys())]:
        return f"{'has no' if odd[0] in own else 'has a strange'} {odd[0]!r}"
    for name, tensor in own.items():
        found = state[name]
        if found.shape != tensor.shape:
            return f"{name} is {tuple(found.shape)} instead of {tuple(tensor.shape)}"
        if found.dtype != tensor.dtype:
            return f"{name} is {found.dtype} instead of {tensor.dtype}"
        if not found.isfinite().all():
            return f"{name} holds what is no finite number"
    return None
