"""timm's optimizers by name, in the fused variant where torch has one."""

import tempfile
from difflib import get_close_matches
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from timm.optim import create_optimizer_v2, get_optimizer_class, list_optimizers
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import Optimizer

from storage.tensors import load_state, save_state
from trainables.config import TrainConfig


class OptimizerError(ValueError):
    """An optimizer that does not exist, or not here."""


def make_optimizer(model: nn.Module, config: TrainConfig) -> Optimizer:
    """Return the configured optimizer of a model's parameters.

    A fused AdamW takes a third of the plain one's time on a CPU, 4 instead of 11 ms for
    tf_efficientnet_lite0 (`python -m benchmarks.training_step`).
    """
    optimizer: Optimizer = create_optimizer_v2(
        model,
        config.optimizer,
        config.learning_rate,
        config.weight_decay,
        config.momentum,
        **({} if config.layer_decay == 1 else {"layer_decay": config.layer_decay}),
        **({"fused": True} if has_fused_variant(config.optimizer) else {}),
        **whole_options(config),
    )
    return optimizer


def whole_options(config: TrainConfig) -> dict[str, Any]:
    """Return the optimizer's own arguments, each whole: 'betas.1' takes the place of the second of its betas.

    Raises:
        OptimizerError: it has no such argument, or no so many numbers in it.
    """
    if not config.optimizer_options:
        return {}
    known = signature(get_optimizer_class(config.optimizer, bind_defaults=False)).parameters
    options: dict[str, Any] = {}
    for name, value in config.optimizer_options.items():
        whole, _, place = name.partition(".")
        if whole not in known:
            raise OptimizerError(
                f"optimizer_options.{name}: {config.optimizer} has no such option; it has {', '.join(list(known)[1:])}; put"
                " the parameter under a condition, such as when: {optimizer: ...}"
            )
        options[whole] = _with_number(name, options.get(whole, known[whole].default), place, value) if place else value
    return options


def _with_number(name: str, numbers: Any, place: str, value: Any) -> tuple[Any, ...]:
    """Return several numbers with one of them replaced."""
    if not isinstance(numbers, list | tuple) or not place.isdecimal() or int(place) >= len(numbers):
        raise OptimizerError(f"optimizer_options.{name}: there is no number {place} in {numbers!r}; count from 0")
    return (*numbers[: int(place)], value, *numbers[int(place) + 1 :])


def load_optimizer(optimizer: Optimizer, state: dict[str, Any]) -> None:
    """Go on from a saved state.

    A fused kernel runs through parameter and moments side by side in memory, so what was read from a file
    must lie in the parameter's own layout.
    """
    optimizer.load_state_dict(state)
    for parameter, kept in optimizer.state.items():
        for name, value in kept.items():
            if isinstance(value, Tensor) and value.shape == parameter.shape:
                kept[name] = torch.empty_like(parameter).copy_(value)


def has_fused_variant(name: str) -> bool:
    """Tell whether torch updates all parameters of this optimizer in one kernel."""
    return "fused" in signature(get_optimizer_class(name, bind_defaults=False)).parameters


def check_optimizer(config: TrainConfig) -> None:
    """Refuse an optimizer that timm does not have, that does not run here with its options, or that cannot be resumed.

    Raises:
        OptimizerError: names the nearest ones, or what is wrong.
    """
    known, name = list_optimizers(), config.optimizer
    if name not in known:
        close = get_close_matches(name, known, n=4, cutoff=0.3)
        raise OptimizerError(
            f"optimizer: timm has no optimizer {name!r}; near it are: {', '.join(close) or 'adamw, sgd'}"
        )
    options = whole_options(config)
    if reason := _why_not(config):
        given = f" with optimizer_options {options}" if options else ""
        raise OptimizerError(
            f"optimizer: {name}{given} cannot be used here: {reason}; take another{' value' if options else ', such as adamw'}"
        )


def _why_not(config: TrainConfig) -> str | None:
    """Return why a tiny model cannot be trained, saved, loaded and trained on as configured; None if it can."""
    try:
        with tempfile.TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
            through, resumed = _two_steps(config, Path(folder) / "state")
    except Exception as error:  # every optimizer fails in its own way
        return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
    if not all(torch.equal(through[part], resumed[part]) for part in through):
        return "after a new start it does not go on to the same weights"
    return None


def _two_steps(config: TrainConfig, file: Path) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return a tiny model's weights after two steps: in one go, and with a state saved and loaded between them."""
    through = _tiny_model()
    optimizer = make_optimizer(through, config)
    _step(through, optimizer, 1)
    save_state({"model": through.state_dict(), "optimizer": optimizer.state_dict()}, file)
    _step(through, optimizer, 2)
    resumed, state = _tiny_model(), load_state(file)
    resumed.load_state_dict(state["model"])
    optimizer = make_optimizer(resumed, config)
    load_optimizer(optimizer, state["optimizer"])
    _step(resumed, optimizer, 2)
    return through.state_dict(), resumed.state_dict()


def _tiny_model() -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 36, 2))
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


def _step(model: nn.Module, optimizer: Optimizer, seed: int) -> None:
    torch.manual_seed(seed)
    images = torch.rand(4, 3, 8, 8).to(memory_format=torch.channels_last)
    optimizer.zero_grad(set_to_none=True)
    cross_entropy(model(images), torch.tensor([0, 1, 0, 1])).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
