"""A trial is the same in a process that has just begun and in one that has trained before, to the last digit."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from timm import create_model

from datasets.preparation import PreparedData, prepare
from datasets.sources.opening import data_options
from tests.toys import ROOT
from tests.toys.training import TINY, write_study
from trainables.training.weights.packaged import packaged_weights

LITE = {**TINY, "backbone": "tf_efficientnet_lite0", "weights": "imagenet", "epochs": 1}
CASES = {
    "packaged weights": LITE,
    "packaged weights, a wider head": {**LITE, "head_hidden": 8},
    "no weights": {**TINY, "epochs": 1},
    "dropped paths": {**TINY, "epochs": 1, "drop_path_rate": 0.2, "drop_rate": 0.5},
    "ordinal": {**TINY, "epochs": 1, "head": "ordinal"},
    "regression": {**TINY, "epochs": 1, "head": "regression", "thresholds": "tuned"},
    "label distribution": {**TINY, "epochs": 1, "head": "label_distribution"},
    "a moving average": {**TINY, "epochs": 1, "kept_weights": "ema"},
    "a user's backbone that caches": {**TINY, "epochs": 1, "backbone": "caching_net"},
    "a user's backbone that caches by outputs": {**TINY, "epochs": 1, "backbone": "caching_net", "head": "regression"},
    "a user's loss that is imported late": {**TINY, "epochs": 1, "loss": "late_loss", "drop_rate": 0.5},
}
PLUGIN = """
from functools import cache
import torch
from torch import nn
from plugins import BACKBONES, LOSSES

@cache
def template(width):
    return nn.Linear(3 * 32 * 32, width)  # draws random numbers, once per process and width

@BACKBONES.register("caching_net")
def caching_net(outputs):
    template(outputs)
    return nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(3 * 32 * 32, outputs))

LOSSES.add("late_loss", "late_loss:late_loss")
"""
LATE = """
import torch
torch.rand(3)

def late_loss(logits, targets):
    return -(targets * logits.log_softmax(dim=1)).sum(dim=1)
"""
# Every case is trained in a forked process of its own, as fresh as one can be, and then all of them one after the other here.
SCRIPT = """
import json, os, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from plugins.loading import load_plugin
from plugins.sources import plugin_at
load_plugin(plugin_at(Path(sys.argv[2]) / "caching.py"))
from trainables.config import configured
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import load_fold_data

cases, compiled = json.loads(sys.argv[3]), len(sys.argv) > 4
data = load_fold_data(Path(sys.argv[2]))

def said(values, compiled):
    config = configured(values)
    learner = FoldLearner(config, data, 3, 0, place(config, Resources(compile="kernels" if compiled else None)))
    learner.train_epoch(0)
    probabilities = learner.judge_validation().probabilities
    learner.close()
    return probabilities.tolist()

def forked(values):
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.write(writer, json.dumps(said(values, compiled)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as result:
        found = json.load(result)
    os.wait()
    return found

fresh = {name: forked(values) for name, values in cases.items()}
for values in cases.values():
    said(values, False)
used = {name: said(values, compiled) for name, values in cases.items()}
print(json.dumps([name for name in cases if fresh[name] != used[name]]))
"""


@pytest.fixture(scope="module")
def ages(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path) -> Path:
    """A study of a few ages, and the plugin of the cases above."""
    place = tmp_path_factory.mktemp("ages")
    options = data_options().validate_python({"source": "sample_faces", "people": 12, "scale": 0.125})
    faces: PreparedData = prepare(options, "age", 2, 32)
    write_study(place, faces)
    (place / "caching.py").write_text(PLUGIN)
    (place / "late_loss.py").write_text(LATE)
    return place


def differing(study: Path, cases: dict[str, dict[str, object]], *options: str) -> list[str]:
    """Return the cases that a fresh and a used process train differently."""
    command = [sys.executable, "-c", SCRIPT, str(ROOT), str(study), json.dumps(cases), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.slow
def test_fresh_and_used_processes_train_the_same_probabilities(ages: Path) -> None:
    assert differing(ages, CASES) == []


@pytest.mark.slow
def test_fresh_and_used_processes_train_the_same_probabilities_from_a_file_of_weights(
    ages: Path, tmp_path: Path
) -> None:
    torch.save(create_model("test_efficientnet", num_classes=2).state_dict(), tmp_path / "own.pth")
    own = {**TINY, "epochs": 1, "weights": str(tmp_path / "own.pth")}
    assert differing(ages, {"a file": own, "no weights": CASES["no weights"], "a file again": own}) == []


@pytest.mark.slow
def test_fresh_and_used_processes_train_the_same_probabilities_when_compiled(ages: Path) -> None:
    assert differing(ages, {"compiled": CASES["dropped paths"]}, "compiled") == []


def test_reading_packaged_weights_draws_no_random_number() -> None:
    packaged_weights.cache_clear()
    before = torch.get_rng_state()
    packaged_weights("tf_efficientnet_lite0")
    assert torch.equal(before, torch.get_rng_state())
