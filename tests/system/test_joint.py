"""Three tasks in one launch, stopped and gone on with by the same command."""

import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from studies.record.events import EpochScored, TrialAdded
from tests.toys.commands import SPACE, recorded, run, start, state

pytestmark = pytest.mark.slow
TASKS = ("mask", "gender", "age")


def test_three_tasks_of_one_launch_are_stopped_together_and_gone_on_with(
    place: Path, processes: list[subprocess.Popen[str]]
) -> None:
    for task in TASKS:
        (place / f"{task}.yaml").write_text(SPACE.replace("task: mask", f"task: {task}"))
    spaces = [word for task in TASKS for word in ("--space", f"{task}.yaml")]
    command = (*spaces, "--set", "age:search.trials=4")
    driver = start(place, "launch_search.py", *command)
    processes.append(driver)
    wait_for_epochs_of_all(place, driver)
    driver.send_signal(signal.SIGINT)
    stopped, _ = driver.communicate(timeout=60)
    assert driver.returncode == 130, stopped
    assert re.search(r"Page of all studies: http://127\.0\.0\.1:\d+/\n", stopped)
    before = {task: recorded(place, task) for task in TASKS}
    out = run(place, "launch_search.py", *command)
    for task in TASKS:
        events = recorded(place, task)
        assert events[: len(before[task])] == before[task]
        epochs = [(one.trial, one.fold, one.epoch) for one in events if isinstance(one, EpochScored)]
        assert len(epochs) == len(set(epochs)), "no epoch is trained twice"
        assert len([one for one in events if isinstance(one, TrialAdded)]) == (4 if task == "age" else 5)
        assert f"{task}: The search ended: " in out
        assert state(place, task).trials[0].progress == {0: 3, 1: 3}, "the recipe has all folds"
    assert "Next: python export_best.py --study mask --study gender --study age" in out


def wait_for_epochs_of_all(place: Path, driver: subprocess.Popen[str]) -> None:
    """Wait until every study has recorded a fold-epoch."""
    deadline = time.monotonic() + 120
    files = [place / f"results/{task}/record.jsonl" for task in TASKS]
    while not all(file.exists() and "epoch_scored" in file.read_text() for file in files):
        assert driver.poll() is None, driver.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.05)
