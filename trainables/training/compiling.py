"""torch.compile for a model's features, with one cache of compiled kernels for all trials of a node.

Only whole training batches take the compiled path: every other size would be compiled for itself. The head stays
eager, since its dropout is searched and would make another graph of every trial.
"""

import os
from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from storage.rebuilt_folder import cache_root


class CompileError(ValueError):
    """Models cannot be compiled here."""


Features = Callable[[Tensor], Tensor]


def compiled_features(model: nn.Module) -> Features:
    """Return the compiled `forward_features` of a timm model; compiling begins with the first batch."""
    # an actor meets many configurations; past the limit torch would go on uncompiled and say nothing
    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = 1000
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_root() / "compiled"))
    return torch.compile(cast(Features, model.forward_features), dynamic=False)


def check_compiler() -> None:
    """Check that torch finds the C++ compiler that it builds kernels with.

    Raises:
        CompileError: it does not; says the way out.
    """
    # imported here: every actor imports this module, and only this check needs a second more
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        raise CompileError(
            "--compile needs a C++ compiler and torch finds none; install g++, name one in CXX, or leave --compile out"
        ) from None
