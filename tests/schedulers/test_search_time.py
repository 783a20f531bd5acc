"""A budget counts what was worked: a jump of the clock changes the printed dates and nothing else."""

import time
from pathlib import Path

import pytest

from schedulers.taking_over import unrecorded
from studies.record.events import ClimbStarted, EpochScored, Launched, TrialAdded
from studies.record.record import read_record
from studies.state.study_state import StudyState
from tests.toys.search import ToyDriver, toy_space

DAY = 86_400.0
BUDGET = {"trials": 99, "time_budget": 60}


def decisions(path: Path) -> list[object]:
    return [event.model_dump(exclude={"time"}) for event in read_record(path)]


@pytest.mark.parametrize("step", [DAY, -DAY, 3_600.0])
def test_a_step_of_the_clock_and_back_changes_no_decision_and_no_budget(
    tmp_path: Path, step: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    ToyDriver(tmp_path / "steady", toy_space(**BUDGET)).start().finish()
    offset, real = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: real() + offset[0])
    driver = ToyDriver(tmp_path / "stepping", toy_space(**BUDGET)).start()
    for _ in range(10):
        driver.tick()
    offset[0] = step
    for _ in range(10):
        driver.tick()
    offset[0] = 0.0
    driver.finish()
    assert decisions(tmp_path / "steady") == decisions(tmp_path / "stepping")
    assert driver.run.log.elapsed() == pytest.approx(60, abs=2)


def test_launches_add_up_to_the_budget_whatever_the_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    for launch, (day, budget) in enumerate(((0, 20), (400, 40), (-30, 60)), 1):
        monkeypatch.setattr(time, "time", lambda day=day: real() + day * DAY)
        driver = ToyDriver(tmp_path / "record", toy_space(trials=99, time_budget=budget)).start().finish()
        assert 20 * launch - 9 < driver.run.log.elapsed() <= 20 * launch + 1, "part of a fold is not begun"
        assert "the time budget of " in str(driver.run.finished)


def test_an_epoch_that_was_saved_before_a_kill_and_not_recorded_is_charged(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    order = driver.run.next_climb()
    assert order is not None
    driver.record.close()
    saved = [EpochScored(time=0, trial=0, fold=0, epoch=epoch, score=0.5, seconds=600) for epoch in (0, 1)]
    resumed = ToyDriver(tmp_path / "record", toy_space()).start({0: saved})
    assert resumed.run.log.elapsed() == pytest.approx(1_200)
    assert unrecorded(resumed.run.state.trials[0], resumed.run._folders) == []


def test_gaps_of_former_formats_count_for_no_more_than_an_epoch_can_have_taken() -> None:
    events = [
        Launched(time=0, format=4, settings={}),
        TrialAdded(time=1, trial=0, configuration={}, origin="recipe"),
        ClimbStarted(time=2, trial=0, fold=0, epoch=9, attempt=1),
        EpochScored(time=32, trial=0, fold=0, epoch=0, score=0.5, seconds=30),
    ]
    assert StudyState(events).elapsed == 32
    jumped = EpochScored(time=32 + DAY, trial=0, fold=0, epoch=1, score=0.5, seconds=30)
    back = EpochScored(time=90, trial=0, fold=0, epoch=2, score=0.5, seconds=30)
    assert StudyState([*events, jumped]).elapsed == 32 + 30 + 60
    assert StudyState([*events, jumped, back]).elapsed == 32 + 30 + 60, "a step back takes no time away"
    later = EpochScored(time=0, elapsed=130, trial=0, fold=0, epoch=3, score=0.5, seconds=8)
    again = [Launched(time=5 * DAY, elapsed=122, settings={}), later]
    assert StudyState([*events, jumped, back, *again]).elapsed == 130
