"""Try configurations before a search: can their models, weights and optimizers be had, and how fast is a training step?

    python -m trainables.preflight '{"backbone": "tf_efficientnet_lite0"}' --classes 3 --steps 4

Prints one line of JSON. Runs in a process of its own, beside the preparation of the data.
"""

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import harmonic_mean

import torch

from plugins.loading import load_plugin
from plugins.registry import PluginError
from plugins.sources import plugin_at
from trainables.config import TrainConfig, configured
from trainables.training.compiling import CompileError, check_compiler
from trainables.training.devices import DeviceError, gpu_is_of_no_use
from trainables.training.models import ModelError, make_model, own_size
from trainables.training.optimization.freezing import has_layers, layers_of
from trainables.training.optimization.optimizers import OptimizerError, check_optimizer
from trainables.training.weights.file import WeightsError

_OPTIMIZERS = {"optimizer", "optimizer_options"}
_WHOLE = {"frozen_share": 0.0, "layer_decay": 1.0}  # under which a model need not be known layer by layer
_MODELS = {*("backbone", "weights", "image_size", "drop_path_rate", "global_pool", "head_hidden"), *_WHOLE}


def images_per_second(config: TrainConfig, classes: int, steps: int) -> float:
    """Return the speed of training steps on random pixels, one warm-up step left out; one thread."""
    torch.set_num_threads(1)
    model = (
        make_model(config.model_copy(update={"weights": "none"}), classes).to(memory_format=torch.channels_last).train()
    )
    images = torch.rand(config.batch_size, 3, config.image_size, config.image_size).to(
        memory_format=torch.channels_last
    )
    started = 0.0
    for step in range(steps + 1):
        if step == 1:
            started = time.perf_counter()
        model(images).square().mean().backward()
    return config.batch_size * steps / (time.perf_counter() - started)


def check_model(config: TrainConfig) -> None:
    """Make a configuration's model and let it see one image.

    Raises:
        ModelError: it cannot be had, or does not fit the image size.
        WeightsError: a file of weights is of another backbone.
    """
    model = make_model(config, 2).eval()
    try:
        with torch.inference_mode():
            model(torch.zeros(1, 3, config.image_size, config.image_size))
    except (RuntimeError, AssertionError, ValueError) as error:
        reason, size = str(error).splitlines()[0], own_size(config.backbone)
        raise ModelError(
            f"{config.backbone} cannot take images of {config.image_size} pixels ({reason}); set constants.image_size"
            f"{f', such as to {size}, which it was made for' if size else ''}"
        ) from None
    by_layer = [name for name in ("frozen_share", "layer_decay") if getattr(config, name) != _WHOLE[name]]
    if by_layer and not has_layers(model):
        knob = by_layer[0]
        raise ModelError(
            f"{config.backbone} cannot say which layers it has, so {knob} does not work with it; --set {knob}={_WHOLE[knob]}"
        )
    if config.frozen_share and len(layers_of(model)) < 2:
        raise ModelError(
            f"{config.backbone} is of one layer: there is nothing that frozen_share could freeze; set it to 0"
        )


def differing(configurations: Sequence[TrainConfig], knobs: set[str]) -> list[TrainConfig]:
    """Return the configurations that differ in some knobs, one of each kind."""
    return list({config.model_dump_json(include=knobs): config for config in configurations}.values())


class Notes(logging.Handler):
    """Keeps what is said about weights, each line once, for the launch to show."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        if (line := record.getMessage()) not in self.lines:
            self.lines.append(line)


def main() -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "configurations", nargs="+", help="as JSON; of several backbones, the speed is that of their mean time"
    )
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--compile", action="store_true", help="check that torch.compile finds its compiler")
    parser.add_argument("--gpu", action="store_true", help="check that torch can use the GPU")
    parser.add_argument("--plugins", type=Path, nargs="*", default=[], help="sources of plugins")
    parser.add_argument("--steps", type=int, default=0)
    arguments = parser.parse_args()
    notes = Notes()
    logging.getLogger("trainables.training.weights.users_own").addHandler(notes)
    try:
        for path in arguments.plugins:
            load_plugin(plugin_at(path))
        configurations = [configured(json.loads(text)) for text in arguments.configurations]
        if arguments.gpu and (reason := gpu_is_of_no_use()):
            raise DeviceError(reason)
        if arguments.compile:
            check_compiler()
        for config in differing(configurations, _OPTIMIZERS):
            check_optimizer(config)
        for config in differing(configurations, _MODELS):
            check_model(config)
    except (DeviceError, ModelError, OptimizerError, CompileError, PluginError, WeightsError) as error:
        print(error, file=sys.stderr)
        return 2
    speed = None
    if arguments.steps:  # a fold-epoch takes as long as its backbone: of several, the mean time
        of_each = differing(configurations, {"backbone"})
        speed = harmonic_mean([images_per_second(one, arguments.classes, arguments.steps) for one in of_each])
    print(json.dumps({"images_per_second": speed, "notes": notes.lines}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
