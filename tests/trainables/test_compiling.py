"""Compiled training: one graph for all rates of stochastic depth, and models that say no features."""

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from timm.layers import DropPath
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounter

from trainables.training.compiling import TensorDropPath, compiled, with_rates_as_tensors


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> Iterator[CompileCounter]:
    """Count the graphs that are made; they are run as they are, for kernels take half a minute."""
    counter = CompileCounter()
    torch._dynamo.reset()
    compile_by = partial(torch.compile, backend=counter)
    monkeypatch.setattr(torch, "compile", lambda model, *, dynamic, mode: compile_by(model, dynamic=dynamic))
    yield counter
    torch._dynamo.reset()


class Net(nn.Module):
    """A net with a residual branch, as timm writes them."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.layer, self.drop_path, self.head = nn.Linear(4, 4), DropPath(rate), nn.Linear(4, 2)

    def forward_features(self, images: Tensor) -> Tensor:
        dropped: Tensor = self.drop_path(self.layer(images)) + images
        return dropped

    def forward_head(self, features: Tensor) -> Tensor:
        outputs: Tensor = self.head(features)
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(images))


@pytest.mark.parametrize("as_tensors", [False, True])
def test_a_searched_rate_of_stochastic_depth_makes_one_graph(as_tensors: bool, graphs: CompileCounter) -> None:
    for rate in (0.1, 0.2, 0.3):
        model = Net(rate).train()
        if as_tensors:
            with_rates_as_tensors(model)
        compiled(model, "kernels")(torch.ones(8, 4))
    assert graphs.frame_count == (1 if as_tensors else 3)


def test_a_model_without_features_is_compiled_whole(graphs: CompileCounter) -> None:
    """A user's own backbone, such as a Sequential, ended every trial of a search with --compile."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(12, 2))
    images = torch.rand(4, 3, 2, 2)
    assert torch.equal(compiled(model, "kernels")(images), model(images))
    assert graphs.frame_count == 1


def test_stochastic_depth_with_a_tensor_drops_as_often_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    branch, layer = torch.ones(20_000, 2, 1), TensorDropPath(0.25)
    dropped = layer(branch)
    assert dropped.unique().tolist() == [0, pytest.approx(4 / 3)]
    assert torch.equal(dropped[:, 0], dropped[:, 1]), "an image's branch as a whole"
    assert float(dropped.mean()) == pytest.approx(1, abs=0.02)
    assert torch.equal(layer.eval()(branch), branch)
    assert not layer.state_dict(), "weights fit into the model without it"
