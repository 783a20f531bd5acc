"""torch.compile for a model's features, with one cache of compiled kernels for all trials of a node.

Only whole training batches take the compiled path: every other size would be compiled for itself. The head stays
eager, since its dropout is searched and would make another graph of every trial.
"""

import os
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from datasets.folders import cache_root

Features = Callable[[Tensor], Tensor]


def compiled_features(model: nn.Module) -> Features:
    """Return the compiled `forward_features` of a timm model; compiling begins with the first batch."""
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_root() / "compiled"))
    return torch.compile(cast(Features, model.forward_features), dynamic=False)
