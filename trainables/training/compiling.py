"""torch.compile for a model's training, with one cache of compiled kernels for all trials of a node.

Only whole training batches take the compiled path: every other size would be compiled for itself. The head stays
eager, since its dropout is searched and would make another graph of every trial.
"""

import os
from collections.abc import Callable
from typing import Literal, TypeAlias, cast

import torch
from timm.layers import DropPath
from torch import Tensor, nn

from storage.rebuilt_folder import cache_root

Compilation: TypeAlias = Literal["kernels", "graphs"]
Outputs: TypeAlias = Callable[[Tensor], Tensor]


class CompileError(ValueError):
    """Models cannot be compiled here."""


def compiled(model: nn.Module, compilation: Compilation) -> Outputs:
    """Return a model whose features are compiled, all of it where it does not say which they are, as a user's own.

    `graphs` records the kernels as CUDA graphs besides, which helps where a small net waits for the host; it was never run on a
    GPU. Compiling begins with the first batch.
    """
    # an actor meets many configurations; past the limit torch would go on uncompiled and say nothing
    torch._dynamo.config.recompile_limit = torch._dynamo.config.accumulated_recompile_limit = 1000
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(cache_root() / "compiled"))
    whole = not (hasattr(model, "forward_features") and hasattr(model, "forward_head"))
    eager = cast(Outputs, model if whole else model.forward_features)
    mode = "reduce-overhead" if compilation == "graphs" else "default"
    features: Outputs = torch.compile(eager, dynamic=False, mode=mode)

    def outputs(images: Tensor) -> Tensor:
        if compilation == "graphs":
            # the next batch may write over what the last one left
            torch.compiler.cudagraph_mark_step_begin()  # type: ignore[no-untyped-call]
        return features(images) if whole else cast(Outputs, model.forward_head)(features(images))

    return outputs


class TensorDropPath(nn.Module):
    """Stochastic depth whose rate is a tensor, so that one graph serves every rate (Huang et al., ECCV 2016)."""

    kept: Tensor

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.register_buffer("kept", torch.tensor(1 - rate), persistent=False)

    def forward(self, branch: Tensor) -> Tensor:
        """Drop the branch of some images while training, and scale up that of the others."""
        if not self.training:
            return branch
        drawn = torch.rand((len(branch), *[1] * (branch.dim() - 1)), device=branch.device)
        return branch * ((drawn < self.kept) / self.kept).to(branch.dtype)


def with_rates_as_tensors(model: nn.Module) -> None:
    """Put tensors in the place of a timm model's rates of stochastic depth: a number would be compiled anew for every value."""
    for module in list(model.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, DropPath):
                setattr(module, name, TensorDropPath(child.drop_prob or 0.0))


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
