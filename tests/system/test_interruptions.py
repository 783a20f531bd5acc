"""Real signals and a real kill while a search runs, one after the other on one study."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.crash import descendants, trial_processes
from studies.record.events import EpochScored, Event, SearchEnded, TrialAdded
from studies.trials.stored_trial import read_trial
from tests.toys.commands import recorded, run, search, start, state

pytestmark = pytest.mark.slow


def test_a_search_that_is_killed_stopped_and_cut_short_says_how_to_go_on_and_loses_and_doubles_nothing(
    place: Path, processes: list[subprocess.Popen[str]]
) -> None:
    for interrupted in (
        refused_beside_another_and_killed,
        fenced_off_by_another_writer,
        stopped_by_ctrl_c,
        exported_meanwhile_and_cut_short_in_an_epoch_that_never_ends,
    ):
        driver = start(place, "launch_search.py", "--space", "toy.yaml")
        processes.append(driver)
        interrupted(place, driver)
        before = recorded(place)
    search(place)
    check_nothing_lost_or_doubled(place, before)


def refused_beside_another_and_killed(place: Path, driver: subprocess.Popen[str]) -> None:
    wait_for_an_epoch(place, driver)
    driver.send_signal(signal.SIGSTOP)
    assert f"another launch (process {driver.pid} on " in search(place, code=2)
    driver.kill()
    driver.wait()
    assert "no fold is finished yet" in run(place, "export_best.py", code=2)


def stopped_by_ctrl_c(place: Path, driver: subprocess.Popen[str]) -> None:
    wait_for_an_epoch(place, driver)
    driver.send_signal(signal.SIGINT)
    out, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, out
    assert "Stopped. To continue: python " in out
    assert not state(place).climbing(), "running epochs are ended, not lost"


def fenced_off_by_another_writer(place: Path, driver: subprocess.Popen[str]) -> None:
    wait_for_an_epoch(place, driver)
    trials = trial_processes(driver.pid)
    with open(place / "results/toy/record.jsonl", "a", encoding="utf-8") as record:
        record.write('{"time":1.0,"elapsed":1.0,"event":"field_closed","reason":"the lock was not shared"}\n')
    out, _ = driver.communicate(timeout=60)
    assert driver.returncode == 2, out
    assert "another launch writes here" in out
    assert "Traceback" not in out
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{trial}").exists() for trial in trials):
        assert time.monotonic() < deadline, "its climbs end"
        time.sleep(0.1)


def exported_meanwhile_and_cut_short_in_an_epoch_that_never_ends(place: Path, driver: subprocess.Popen[str]) -> None:
    wait_for_an_epoch(place, driver)
    while not any(3 in trial.progress.values() for trial in state(place).trials.values()):
        wait_for_an_epoch(place, driver)
    trials = trial_processes(driver.pid)
    assert {os.getpriority(os.PRIO_PROCESS, trial) for trial in trials} == {os.getpriority(os.PRIO_PROCESS, 0)}
    for trial in trials:
        os.kill(trial, signal.SIGSTOP)
    assert "Next: python predict.py" in run(place, "export_best.py")
    driver.send_signal(signal.SIGTERM)
    started = time.monotonic()
    out, _ = driver.communicate(timeout=60)
    for trial in trials:
        with suppress(ProcessLookupError):
            os.kill(trial, signal.SIGKILL)
    assert time.monotonic() - started < 20, "its sender waits no longer"
    assert driver.returncode == 130, out
    assert "Cut short" in out
    assert "To continue: python " in out
    assert isinstance(recorded(place)[-1], SearchEnded)


def wait_for_an_epoch(place: Path, driver: subprocess.Popen[str]) -> None:
    """Wait until a launch that has just begun records its first fold-epoch."""
    before, deadline = fold_epochs(place), time.monotonic() + 120
    while fold_epochs(place) == before:
        assert driver.poll() is None, driver.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)


def fold_epochs(place: Path) -> int:
    begun = (place / "results/toy/record.jsonl").exists()
    return sum(isinstance(event, EpochScored) for event in recorded(place)) if begun else 0


def check_nothing_lost_or_doubled(place: Path, before: list[Event]) -> None:
    """Check the record against itself, against the folders and against what it said before."""
    events = recorded(place)
    assert events[: len(before)] == before, "the record was rewritten"
    trials = [event.trial for event in events if isinstance(event, TrialAdded)]
    assert trials == list(range(5))
    for trial in state(place).trials.values():
        stored = read_trial(place / "results/toy", trial.number)
        assert stored is not None
        for number, fold in trial.folds.items():
            assert [epoch.epoch for epoch in fold.epochs] == list(range(len(fold.epochs)))
            assert [line.score for line in stored.parts[number].curve] == [epoch.score for epoch in fold.epochs]


def test_sigterm_ends_the_preparation_of_data_at_once(place: Path, processes: list[subprocess.Popen[str]]) -> None:
    """Job systems kill what is still there some seconds later."""
    many = ["--set", "data.people=4000", "--set", "data.scale=1.0"]
    driver = start(place, "launch_search.py", "--space", "toy.yaml", *many)
    processes.append(driver)
    deadline = time.monotonic() + 60
    while len(descendants(driver.pid)) < 2:  # who draw faces
        assert time.monotonic() < deadline
        time.sleep(0.1)
    driver.send_signal(signal.SIGTERM)
    out, _ = driver.communicate(timeout=8)
    assert driver.returncode == 130
    assert "Stopped before the search began; nothing was lost." in out
