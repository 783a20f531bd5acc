"""Try configurations before a search: can their models, weights and optimizers be had, and how fast is a training step?

    python -m trainables.preflight '{"backbone": "tf_efficientnet_lite0"}' --classes 3 --steps 4

Prints one line of JSON. Runs in a process of its own, beside the preparation of the data.
"""

import argparse
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import harmonic_mean

import torch

from plugins.loading import load_plugin
from plugins.registry import PluginError
from plugins.sources import plugin_at
from trainables.config import TrainConfig, configured
from trainables.preflight.noise import noise
from trainables.training.compiling import CompileError, check_compiler
from trainables.training.devices import DeviceError, Resources, gpu_is_of_no_use, place
from trainables.training.fold_learner import FoldLearner, NotFinite
from trainables.training.models import ModelError, own_size
from trainables.training.optimization.freezing import LayerError
from trainables.training.optimization.optimizers import OptimizerError, check_optimizer
from trainables.training.weights.file import WeightsError

_OPTIMIZERS = {"optimizer", "optimizer_options"}
_MODELS = {  # of which every kind is tried
    *(
        "backbone",
        "weights",
        "image_size",
        "drop_path_rate",
        "global_pool",
        "head",
        "head_hidden",
        "loss",
        "frozen_share",
    ),
    *("layer_decay", "precision", "deterministic"),
}
_FEW = 4  # images of a step that only shows whether there is one


def images_per_second(config: TrainConfig, classes: int, steps: int, resources: Resources) -> float:
    """Return the speed of a trial's own training steps on noise; the first ones are left out."""
    fresh = config.model_copy(update={"weights": "none", "accumulation": 1})
    data = noise(fresh, steps * config.batch_size, 1, classes)
    learner = FoldLearner(fresh, data, 0, 0, place(fresh, resources))
    try:
        learner.train_epoch(0)
        return learner.train_epoch(1).images_per_second
    finally:
        learner.close()


def check_model(config: TrainConfig, classes: int, resources: Resources, precision: str | None) -> None:
    """Build the learner of a configuration, train it for one step, and predict a few images.

    Raises:
        ModelError: the model cannot be had, does not fit the image size, or its training fails.
        LayerError: it cannot say which layers it has, and the configuration asks.
        WeightsError: a file of weights is of another backbone.
        DeviceError: the device lacks the precision.
    """
    few = config.model_copy(update={"batch_size": _FEW, "accumulation": 1})
    placement = place(few, resources, precision)
    learner = FoldLearner(few, noise(few, _FEW, 1, classes), 0, 0, placement)
    check_size(learner)
    try:
        learner.train_epoch(0)
        learner.judge_validation()
    except NotFinite:
        pass  # noise at a corner of the space: a search finds out what trains
    except Exception as error:  # whatever a head or a loss of somebody's raises, or an operation that a device lacks
        reason = (str(error).splitlines() or [""])[0]
        raise ModelError(f"{config.backbone} cannot be trained here: {type(error).__name__}: {reason}") from None
    finally:
        learner.close()


def check_size(learner: FoldLearner) -> None:
    """Check that a model takes images of its configuration's size.

    Raises:
        ModelError: it does not.
    """
    config, device = learner.config, learner.placement.device
    try:
        with torch.inference_mode():
            learner.model.eval()(torch.zeros(1, 3, config.image_size, config.image_size, device=device))
    except (RuntimeError, AssertionError, ValueError) as error:
        reason, size = str(error).splitlines()[0], own_size(config.backbone)
        raise ModelError(
            f"{config.backbone} cannot take images of {config.image_size} pixels ({reason}); set constants.image_size"
            f"{f', such as to {size}, which it was made for' if size else ''}"
        ) from None


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


def parse_arguments() -> argparse.Namespace:
    """Return the arguments of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "configurations", nargs="+", help="as JSON; of several backbones, the speed is that of their mean time"
    )
    parser.add_argument("--classes", type=int, help="default: read from standard input, once somebody knows")
    parser.add_argument("--compile", action="store_true", help="check that torch.compile finds its compiler")
    parser.add_argument("--gpu", action="store_true", help="train on the GPU, once it is sure that torch can use it")
    parser.add_argument("--precision", help="what `auto` stands for in a study that goes on")
    parser.add_argument("--plugins", type=Path, nargs="*", default=[], help="sources of plugins")
    parser.add_argument("--steps", type=int, default=0)
    return parser.parse_args()


def main() -> int:
    """Run the command and return its exit code."""
    arguments = parse_arguments()
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
        cores = len(os.sched_getaffinity(0)) if arguments.gpu else 1
        resources, classes = Resources(cores, float(arguments.gpu)), arguments.classes or int(sys.stdin.readline() or 2)
        for config in differing(configurations, _MODELS):
            check_model(config, classes, resources, arguments.precision)
    except (DeviceError, ModelError, LayerError, OptimizerError, CompileError, PluginError, WeightsError) as error:
        print(error, file=sys.stderr)
        return 2
    speed = None
    if arguments.steps:  # a fold-epoch takes as long as its backbone: of several, the mean time
        of_each = differing(configurations, {"backbone"})
        speed = harmonic_mean([images_per_second(one, classes, arguments.steps, resources) for one in of_each])
    if not arguments.gpu and arguments.precision not in (None, "float32"):
        notes.lines.append(
            f"The study trains in {arguments.precision}, as it began on a GPU: on a CPU that is slow. Go on with it on a GPU,"
            " or begin another study."
        )
    print(json.dumps({"images_per_second": speed, "notes": notes.lines}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
