"""A process whose device is broken for good, under Ray: it ends, another goes on with its climb, and no trial is lost."""

from pathlib import Path

import pytest

from studies.record.events import ClimbPlaced
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
    places = [event for event in recorded(place) if isinstance(event, ClimbPlaced)]
    last = max(number for number, event in enumerate(places) if event.process == broken)
    assert places[last + 1 :], "others went on"
    assert "is tried once more from its last epoch" in out
