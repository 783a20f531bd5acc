"""Requests from another terminal: taken up once, recorded, and never lost."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from launch import control
from schedulers.requests import RequestFolder, leave_out_stops
from schedulers.samplers.failed_neighbours import likely_to_fail
from schedulers.samplers.projection import by_rank
from studies.identity import Identity
from studies.record.events import Requested
from studies.record.record import read_record
from studies.record.requests import (
    AddConfigurations,
    ChangeBudget,
    Request,
    StopSearch,
    StopTrial,
    waiting_requests,
    write_request,
)
from studies.study import begin_or_continue
from studies.study_folder import StudyFolder
from studies.study_lock import StudyLock, is_held
from tests.toys.search import ToyDriver, toy_space


class Feed:
    """Hands each of some requests out once there are so many trials."""

    def __init__(self, *asked: tuple[int, Request]) -> None:
        self.asked, self.driver = list(asked), None

    def __call__(self) -> list[tuple[str, Request]]:
        trials = 0 if self.driver is None else len(self.driver.run.state.trials)
        # again and again, as after a crash: names tell what was taken up
        return [(str(place), one) for place, (after, one) in enumerate(self.asked) if trials >= after]


def driven(record: Path, *asked: tuple[int, Request], **search: Any) -> ToyDriver:
    feed = Feed(*asked)
    feed.driver = ToyDriver(record, toy_space(**search), slots=2, requests=feed)
    return feed.driver.start()


def test_a_search_stops_after_the_epochs_that_run_and_goes_on_at_the_next_launch(tmp_path: Path) -> None:
    stopped = driven(tmp_path / "record", (3, StopSearch())).finish()
    assert stopped.run.stopping
    assert len(stopped.run.state.trials) == 3
    whole = driven(tmp_path / "record", (3, StopSearch())).finish()
    assert len(whole.run.state.trials) == 12, "it was taken up once"


def test_a_trial_that_is_stopped_is_out_and_its_like_is_not_avoided(tmp_path: Path) -> None:
    driver = driven(tmp_path / "record", (4, StopTrial(trial=3)), trials=12, sampler="gp").finish()
    trial = driver.run.state.trials[3]
    assert (trial.withdrawn, trial.failure, trial.reason) == (True, "withdrawn", "stopped on request")
    assert not trial.has_trained(driver.run.strategy.rungs.top)
    assert len(driver.run.state.trials) == 12
    others = [one for one in driver.run.state.trials.values() if one.number != 3]
    assert not likely_to_fail(driver.run.space, trial.configuration, [trial, *others])
    shown = by_rank(driver.run.space, driver.run.state, driver.run.strategy)
    assert len(shown) == 11, "a sampler does not see it"


def test_a_trial_that_is_stopped_with_folds_in_flight_begins_no_other(tmp_path: Path) -> None:
    driver = driven(tmp_path / "record", (2, StopTrial(trial=0)), trials=12)
    while not driver.run.state.trials or not driver.run.state.trials[0].withdrawn:
        assert driver.tick()
    trial = driver.run.state.trials[0]
    trained, folds = trial.fold_epochs, len(trial.climbs)
    driver.finish()
    assert trial.fold_epochs <= trained + folds, "each ends after the epoch that runs"


def test_a_trial_whose_stop_was_recorded_before_a_crash_is_out_after_it(tmp_path: Path) -> None:
    driver = driven(tmp_path / "record")
    while len(driver.run.state.trials) < 4:
        driver.tick()
    driver.record.append(Requested(time=driver.clock.now, name="9", request=StopTrial(trial=3)))
    driver.record.close()  # and the driver dies
    state = driven(tmp_path / "record").finish().run.state
    assert state.trials[3].failure == "withdrawn"


def test_added_configurations_come_next_even_if_the_driver_dies_and_the_budget_makes_room(tmp_path: Path) -> None:
    own = [toy_space().complete({"learning_rate": rate}) for rate in (0.11, 0.22)]
    added = AddConfigurations(configurations=tuple(own))
    driver = driven(tmp_path / "record", (2, added), trials=3)
    while not driver.run.state.requests:
        driver.tick()
    driver.record.close()
    state = driven(tmp_path / "record", trials=3).finish().run.state
    tried = [one.configuration["learning_rate"] for one in state.trials.values() if one.origin == "enqueued"]
    assert tried == [0.11, 0.22]
    assert len(driven(tmp_path / "record", trials=3).finish().run.state.trials) == len(state.trials)


def test_a_budget_changes_while_the_search_runs_and_what_is_none_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wider, wrong = ChangeBudget(settings={"trials": "15"}), ChangeBudget(settings={"folds": 3})
    driver = driven(tmp_path / "record", (2, wider), (2, wrong)).finish()
    assert len(driver.run.state.trials) == 15
    assert "search.folds: is no budget" in caplog.text
    assert list(driver.run.state.requests) == ["0"]


def test_a_folder_hands_every_request_out_once_and_sets_aside_what_is_none(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_request(tmp_path / "requests", StopTrial(trial=1))
    write_request(tmp_path / "requests", StopSearch())
    (tmp_path / "requests/0.json").write_text("{}")
    folder = RequestFolder(tmp_path / "requests")
    assert [request for _, request in folder()] == [StopTrial(trial=1), StopSearch()]
    assert list(folder()) == []
    assert list(RequestFolder(tmp_path / "requests")()) == []
    assert [file.name for file in (tmp_path / "requests").iterdir()] == ["0.unread"]
    assert "is no request and is set aside" in caplog.text
    assert list(RequestFolder(tmp_path / "nowhere")()) == []


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    folder = StudyFolder(tmp_path / "toy")
    folder.path.mkdir()
    begin_or_continue(folder, Identity(toy_space(), {"classes": ["a", "b"]}, {"digest": "s"}), {})
    ToyDriver(folder.record, toy_space()).start().finish()
    return folder


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def run(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["control", *map(str, arguments)])
        return control.main(), capsys.readouterr().out

    return run


def test_the_command_writes_what_a_search_takes_up(
    study: StudyFolder, asked: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    (tmp_path / "mine.yaml").write_text("- {learning_rate: 0.33}\n- {learning_rate: 0.44}\n")
    assert "takes it up at its next launch" in asked(study.path, "add", tmp_path / "mine.yaml")[1]
    lock = StudyLock(study.path)
    code, text = asked(study.path, "budget", "--trials", 14, "--time-budget", "none")
    assert (code, text) == (0, "Asked: search under trials 14, time_budget none. toy takes it up within an epoch.\n")
    lock.release()
    assert not is_held(study.path)
    driver = ToyDriver(study.record, toy_space(), requests=RequestFolder(study.requests)).start().finish()
    assert len(driver.run.state.trials) == 14
    assert [type(one) for one in driver.run.state.requests.values()] == [AddConfigurations, ChangeBudget]
    assert sum(isinstance(event, Requested) for event in read_record(study.record)) == 2


def test_a_stop_that_a_search_ended_without_does_not_stop_the_next_launch(
    study: StudyFolder, asked: Callable[..., tuple[int, str]]
) -> None:
    lock = StudyLock(study.path)
    assert asked(study.path, "stop")[0] == 0
    lock.release()  # the search ends before it looks
    assert ((said := asked(study.path, "stop"))[0], "there is nothing to stop" in said[1]) == (2, True)
    write_request(study.requests, ChangeBudget(settings={"trials": 20}))
    leave_out_stops(study.requests)
    driver = ToyDriver(study.record, toy_space(), requests=RequestFolder(study.requests)).start().finish()
    assert len(driver.run.state.trials) == 20
    assert list(waiting_requests(study.requests)) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("stop-trial", 99), "has no trial 99"),
        (("stop-trial", 0), "trial 0 is the recipe"),
        (("budget",), "name a budget, such as --trials 60"),
        (("budget", "--time-budget", "soon"), "is no duration"),
        (("add", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
    ],
)
def test_a_request_that_makes_no_sense_is_one_error_and_asks_for_nothing(
    arguments: tuple[object, ...], complaint: str, study: StudyFolder, asked: Callable[..., tuple[int, str]]
) -> None:
    code, text = asked(study.path, *arguments)
    assert (code, complaint in text) == (2, True), text
    assert list(waiting_requests(study.requests)) == []
