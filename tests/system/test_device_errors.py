"""A process whose device is broken for good, under Ray: it ends, another goes on with its climb, and no trial is lost."""

import re
from pathlib import Path

import pytest

from studies.record.events import ClimbEnded, ClimbPlaced
from tests.toys.commands import recorded, search, state

pytestmark = pytest.mark.slow

PLUGIN = '''
import os
from pathlib import Path

import torch
from torch.nn.functional import cross_entropy

from plugins import LOSSES

BROKEN = Path("PLACE")
batches = 0


def sticky(logits, targets, weights=None):
    """Fail for ever in the first process that has trained 24 batches, as after an illegal access of a GPU."""
    global batches
    batches += 1
    if batches == 24 and not BROKEN.exists():
        BROKEN.write_text(str(os.getpid()))
    if BROKEN.exists() and BROKEN.read_text() == str(os.getpid()):
        raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
    return cross_entropy(logits, targets)


LOSSES.add("sticky", sticky)
'''


def test_a_sticky_device_error_costs_a_process_and_no_trial(place: Path) -> None:
    (place / "broken_device.py").write_text(PLUGIN.replace("PLACE", str(place / "broken")))
    out = search(place, "--set", "plugins=[broken_device]", "--set", "loss=sticky", "--trials", "5")
    broken = int((place / "broken").read_text())
    study = state(place)
    assert len(study.trials) == 5
    assert not any(trial.failure for trial in study.trials.values()), out
    events = recorded(place)
    fault = next(
        place for place, event in enumerate(events) if isinstance(event, ClimbEnded) and event.reason == "lost"
    )
    later = [event.process for event in events[fault + 1 :] if isinstance(event, ClimbPlaced)]
    assert later, "others went on"
    assert broken not in later, "the broken process had no other climb"
    assert "is tried once more from its last epoch" in out


SCARCE = '''
import time

import albumentations as A
import torch
from torch.nn.functional import cross_entropy

from plugins import AUGMENTATIONS, LOSSES


@LOSSES.register("scarce")
def scarce(logits, targets):
    """Have memory for no more than ten images, as a small GPU."""
    if len(logits) > 10:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    return cross_entropy(logits, targets, reduction="none")


class Slow(A.ImageOnlyTransform):
    """Take longer than the training of an image does."""

    def apply(self, img, **params):
        time.sleep(0.005)
        return img


@AUGMENTATIONS.register("slow")
def slow():
    return [Slow(p=1)]
'''


def test_little_memory_costs_no_trial_and_slow_images_are_told(place: Path) -> None:
    (place / "scarce.py").write_text(SCARCE)
    settings = ("loss=scarce", "constants.augmentation=slow", "constants.batch_size=16")
    sets = [word for setting in settings for word in ("--set", setting)]
    out = search(place, "--set", "plugins=[scarce]", *sets, "--trials", "3", "--cpus-per-trial", "auto")
    study = state(place)
    assert not any(trial.failure for trial in study.trials.values()), out
    assert all(trial.micro_batches == 2 for trial in study.trials.values())
    ended = [event.reason for event in recorded(place) if isinstance(event, ClimbEnded)]
    assert ended.count("out_of_memory") <= 2 * len(study.trials), "folds begun later begin with the half"
    assert re.search(
        r"Training waited for its images \d\d% of the time: take a lighter augmentation or smaller images", out
    )
    assert "tried once more from its last epoch, its batches in 2 parts" in out
    assert re.search(r"Images per second, measured: 1 at a time \d+; .*at a time, with \d+ cores? each, are taken", out)
