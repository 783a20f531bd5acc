"""Launches of a study that is there already, with other budgets, more trials, another space; and trials that fail."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TypeGuard

import pytest

from studies.record.events import ClimbEnded, ClimbStarted, EpochScored, Event, TrialFailed, parse_event
from tests.toys import ROOT
from tests.toys.commands import ONE_SLOT, recorded, search, state

pytestmark = pytest.mark.slow


def test_a_study_goes_on_with_more_trials_and_a_larger_budget_and_another_space_is_refused_with_the_difference(
    place: Path,
) -> None:
    (place / "own.yaml").write_text("- {learning_rate: 2e-3, optimizer: sgd}\n")
    full = ("--set", "search.scheduler=full", "--set", "search.sampler=qmc", "--enqueue", "own.yaml", *ONE_SLOT)
    out = search(place, *full, "--trials", "4", "--fold-epochs", "12", "--disk-budget", "20KB")
    assert "the budget of 12 fold-epochs is spent" in out
    study, before = state(place), recorded(place)
    assert study.fold_epochs == 12
    assert [trial.origin for trial in study.trials.values()][:2] == ["recipe", "enqueued"]
    check_others_are_refused(place, *full)
    assert recorded(place) == before
    check_events_are_printed(place, before, *full, "--fold-epochs", "40")
    assert len([trial for trial in state(place).trials.values() if trial.origin == "enqueued"]) == 1
    other = ("--set", "learning_rate.low=1e-3", "--set", "metric=log_loss")
    warm = search(place, "--study", "warm", "--trials", "2", "--warm-start", "toy", *other, *ONE_SLOT)
    assert "log loss ± spread over folds" in warm
    assert "Warm start, toy (mask): 1 configuration comes before the sampler's" in warm
    assert state(place, "warm").trials[1].origin == "toy"
    check = [sys.executable, "-m", "analysis.check", str(place / "results/toy")]
    assert "0 wrong" in subprocess.run(check, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def check_others_are_refused(place: Path, *same: str) -> None:
    """Check that a space which makes another study is refused with what differs, and a way out."""
    refused = search(place, *same, "--set", "learning_rate.high=5e-3", "--set", "data.split_seed=1", code=2)
    for words in ("parameters.learning_rate.high: 0.01 -> 0.005", "data.split_seed: 0 -> 1", "--study NAME"):
        assert words in refused


def check_events_are_printed(place: Path, before: list[Event], *same: str) -> None:
    """Extend a study and check that its new events are on standard output, and nothing else."""
    command = [sys.executable, str(ROOT / "launch_search.py"), "--space", "toy.yaml", *same, "--trials", "5", "--json"]
    extended = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
    assert "trials 5/5" in extended.stderr
    assert [*before, *map(parse_event.validate_json, extended.stdout.splitlines())] == recorded(place)


def test_trials_that_diverge_fail_with_their_reason_and_the_study_goes_on_with_all_slots(place: Path) -> None:
    # A learning rate of 10 with a weight decay of 1 multiplies the weights by -9 at every step.
    changes = (
        "learning_rate={choice: [10.0, 9.0, 8.0]}",
        "weight_decay={choice: [1.0]}",
        "optimizer=sgd",
        "search.grace_period=2",
    )
    constants = ("schedule=constant", "clip_gradient=1e30", "batch_size=2")
    sets = [*changes, *(f"constants.{constant}" for constant in constants)]
    out = search(place, "--trials", "4", *(word for change in sets for word in ("--set", change)))
    trials = state(place).trials
    assert [trial.failure for trial in trials.values()] == [None, "not_finite", "not_finite", "not_finite"]
    assert "trial 2 failed (not_finite)" in out
    assert "Next: python export_best.py" in out
    climbing, most = 0, 0
    for event in recorded(place):
        climbing += isinstance(event, ClimbStarted) - isinstance(event, ClimbEnded | TrialFailed)
        most = max(most, climbing)
    assert most == min(os.cpu_count() or 1, len(trials))


def test_a_study_of_several_launches_trains_as_one_of_a_single_launch(place: Path) -> None:
    packaged = ("--set", "constants.backbone=tf_efficientnet_lite0", "--set", "constants.weights=imagenet", *ONE_SLOT)
    search(place, "--study", "once", "--trials", "2", *packaged)
    for trials in ("1", "2"):
        search(place, "--study", "parts", "--trials", trials, *packaged)
    once, parts = (
        {(event.trial, event.fold, event.epoch): event.score for event in recorded(place, study) if is_epoch(event)}
        for study in ("once", "parts")
    )
    shared = once.keys() & parts.keys()
    assert len({trial for trial, _, _ in shared}) == 2
    assert {key: once[key] for key in shared} == {key: parts[key] for key in shared}


def is_epoch(event: Event) -> TypeGuard[EpochScored]:
    return isinstance(event, EpochScored)
