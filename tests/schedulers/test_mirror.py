"""`optuna.journal`: optuna-dashboard opens it while the search runs, and it may vanish at any moment."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from schedulers.samplers.optuna_journal import OptunaJournal
from tests.toys.search import ToyDriver, toy_space


def opened(path: Path) -> optuna.Study:
    return optuna.load_study(study_name="toy", storage=JournalStorage(JournalFileBackend(str(path))))


def mirrored(place: Path, trials: int = 6) -> tuple[ToyDriver, OptunaJournal]:
    driver = ToyDriver(place / "record", toy_space(trials=trials)).start()
    mirror = OptunaJournal(place / "optuna.journal", driver.run.space, driver.run.strategy.rungs, driver.run.state)
    driver.run.log.listen(mirror.take)
    return driver, mirror


def check_complete(driver: ToyDriver, path: Path) -> None:
    trials = opened(path).trials
    state = driver.run.state
    assert len(trials) == len(state.trials)
    assert [len(trial.intermediate_values) for trial in trials] == [
        len(trial.scores) for trial in state.trials.values()
    ]
    rates = [trial.configuration["learning_rate"] for trial in state.trials.values()]
    assert [trial.params["learning_rate"] for trial in trials] == rates
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    top = driver.run.strategy.rungs.top
    assert [trial.value for trial in complete] == [
        one.scores[top] for one in state.trials.values() if top in one.scores
    ]
    assert not any(trial.state == TrialState.RUNNING for trial in trials)


def test_the_mirror_holds_what_the_record_holds(tmp_path: Path) -> None:
    driver, mirror = mirrored(tmp_path)
    for _ in range(30):
        driver.tick()
    assert any(trial.state == TrialState.RUNNING for trial in opened(tmp_path / "optuna.journal").trials)
    driver.finish()
    mirror.close()
    check_complete(driver, tmp_path / "optuna.journal")


def test_deleting_the_mirror_at_any_moment_does_no_harm(tmp_path: Path) -> None:
    driver, mirror = mirrored(tmp_path)
    for number in range(60):
        if number % 7 == 3:
            (tmp_path / "optuna.journal").unlink(missing_ok=True)
        driver.tick()
    driver.finish()
    mirror.close()
    check_complete(driver, tmp_path / "optuna.journal")


def test_a_launch_after_a_kill_writes_a_torn_mirror_and_its_lock_anew(tmp_path: Path) -> None:
    driver, _ = mirrored(tmp_path)
    for _ in range(20):
        driver.tick()
    driver.record.close()
    with open(tmp_path / "optuna.journal", "ab") as file:
        file.write(b'{"op_code": 4, "tri')
    (tmp_path / "optuna.journal.lock").symlink_to(tmp_path / "optuna.journal")
    started = time.monotonic()
    driver, mirror = mirrored(tmp_path, trials=8)
    driver.finish()
    mirror.close()
    assert time.monotonic() - started < 20, "nobody waits for a dead lock"
    check_complete(driver, tmp_path / "optuna.journal")


def test_a_mirror_that_cannot_be_written_costs_nothing(tmp_path: Path) -> None:
    (tmp_path / "optuna.journal").mkdir()
    driver, mirror = mirrored(tmp_path)
    driver.finish()
    mirror.close()
    assert len(driver.run.state.trials) == 6


@pytest.mark.slow
def test_optuna_dashboard_shows_the_mirror_of_a_running_search(tmp_path: Path) -> None:
    driver, _ = mirrored(tmp_path)
    for _ in range(30):
        driver.tick()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        str(Path(sys.executable).with_name("optuna-dashboard")),
        "--port",
        str(port),
        str(tmp_path / "optuna.journal"),
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        detail = fetched(f"http://127.0.0.1:{port}/api/studies/0?after=0")
        assert len(detail["trials"]) == len(driver.run.state.trials)
        driver.finish()
        deadline = time.monotonic() + 30  # it caches for a few seconds
        while len(fetched(f"http://127.0.0.1:{port}/api/studies/0?after=0")["trials"]) < 6:
            assert time.monotonic() < deadline
            time.sleep(0.5)
    finally:
        server.terminate()
        server.wait()


def fetched(url: str) -> dict[str, list[object]]:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(url) as answer:
                found: dict[str, list[object]] = json.load(answer)
                return found
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.3)
