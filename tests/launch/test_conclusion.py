"""What a launch says at its end: the way on is a budget that ended it, and never more time where every trial has failed."""

import argparse
import sys
from pathlib import Path

import pytest

from launch.conclusion import conclude, grouped, larger_budget
from schedulers.study_run import StudyRun
from search_spaces.durations import parse_duration
from studies.trials.failures import Failure
from tests.toys.search import ToyDriver, toy_space

OPTIONS = argparse.Namespace(results="results")


def concluded(run: StudyRun, monkeypatch: pytest.MonkeyPatch, *command: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["launch_search.py", "--space", "toy.yaml", *command])
    said: list[str] = []
    code = conclude(OPTIONS, {"toy": run}, {"toy": "a"}, lambda *lines, **style: said.extend(lines))
    return code, "\n".join(said)


def test_a_budget_that_ended_without_a_fold_is_replaced_in_the_command_by_one_that_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space(time_budget=3)).start().finish()
    code, said = concluded(driver.run, monkeypatch, "--time-budget", "3s", "--seed=1")
    assert code == 1
    assert "--space toy.yaml --seed=1 --time-budget 1m" in said
    assert said.count("--time-budget") == 1
    enough = parse_duration(larger_budget(driver.run)[1])
    whole = ToyDriver(tmp_path / "other", toy_space(time_budget=enough)).start().finish().run
    assert whole.strategy.rungs.top in whole.state.trials[0].scores


def test_with_some_folds_an_export_is_next_and_the_others_cost_a_larger_budget(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space(time_budget=20)).start().finish()
    code, said = concluded(driver.run, monkeypatch)
    assert code == 0
    assert "No trial has all 3 folds yet; an export takes the folds that are there, 2 of the furthest trial" in said
    assert said.endswith("Next: python export_best.py")


def test_where_every_trial_has_failed_no_budget_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space(trials=2)).start()
    while (order := driver.run.next_climb()) is not None:
        driver.step(order)
        driver.run.end_climb(order, Failure("diverged", "the loss is not finite"))
    code, said = concluded(driver.run, monkeypatch)
    assert code == 1
    assert "All 2 trials have failed, the last one (diverged): the loss is not finite." in said
    assert "budget" not in said.partition("failed")[2]
    assert larger_budget(driver.run) == ()


def test_studies_of_other_splits_are_exported_by_a_command_of_their_own() -> None:
    splits = {"mask": "a", "cars": "b", "age": "a"}
    assert grouped(["mask", "cars", "age"], splits) == [["mask", "age"], ["cars"]]
