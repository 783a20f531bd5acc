"""Nested state on disk without pickle: tensors in safetensors, the rest as JSON in its header."""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from storage.json_text import load_json

_TENSOR, _KEYED = "__tensor__", "__keyed__"


def save_state(state: Any, path: Path) -> None:
    """Write dictionaries, lists, numbers, texts and tensors, nested as you like."""
    tensors: dict[str, torch.Tensor] = {}
    skeleton = _flatten(state, tensors)
    save_file(tensors, path, {"skeleton": json.dumps(skeleton)})


class DamagedState(ValueError):
    """A file of tensors whose order is not what `save_state` writes."""


def load_state(path: Path) -> Any:
    """Return what `save_state` wrote, on the CPU.

    Raises:
        SafetensorError: no file of tensors, or one of them is missing.
        DamagedState: nothing says how they belong together.
    """
    with safe_open(path, "pt") as file:
        try:
            return _restore(load_json((file.metadata() or {})["skeleton"]), file)
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise DamagedState(f"what says how its tensors belong together is damaged: {error!r}") from None


def _flatten(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if isinstance(value, torch.Tensor):
        key = str(len(tensors))
        tensors[key] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {_TENSOR: key}
    if isinstance(value, dict):
        return {_KEYED: [[key, _flatten(inner, tensors)] for key, inner in value.items()]}
    if isinstance(value, list | tuple):
        return [_flatten(inner, tensors) for inner in value]
    return value


def _restore(value: Any, file: Any) -> Any:
    if isinstance(value, dict):
        if _TENSOR in value:
            return file.get_tensor(value[_TENSOR])
        return {key: _restore(inner, file) for key, inner in value[_KEYED]}
    if isinstance(value, list):
        return [_restore(inner, file) for inner in value]
    return value
