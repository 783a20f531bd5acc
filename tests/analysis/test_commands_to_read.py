"""The commands that read a study: leaderboard, show, compare and export_config."""

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis import compare, export_config, show
from analysis.leaderboard import __main__ as leaderboard
from analysis.terminal.sparkline import sparkline
from search_spaces import load_space
from studies.identity import Identity
from studies.record.events import TrialAdded, TrialFailed
from studies.record.record import Record
from studies.study import begin_or_continue
from studies.study_folder import StudyFolder
from tests.toys.search import ToyDriver, toy_space
from trainables.config import train_config

Said = Callable[..., tuple[int, str]]


@pytest.fixture
def study(tmp_path: Path) -> StudyFolder:
    """A finished toy study, a trial of which has failed."""
    folder = StudyFolder(tmp_path / "나이 [red]")
    folder.path.mkdir()
    toy = toy_space(trials=12)
    begin_or_continue(folder, Identity(toy, {"classes": ["a", "b"]}, {"digest": "s"}), {})
    ToyDriver(folder.record, toy).start().finish()
    with Record(folder.record) as record:
        record.append(TrialAdded(time=0, trial=12, configuration=toy.complete({"learning_rate": 0.1}), origin="gp"))
        record.append(TrialFailed(time=0, trial=12, failure="not_finite", reason="the loss is [bold]nan"))
    return folder


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Return what a command returns and prints."""

    def run(main: Callable[[], int], *arguments: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["command", *map(str, arguments)])
        code = main()
        return code, capsys.readouterr().out

    return run


def test_the_leaderboard_is_a_table_a_csv_file_and_json(study: StudyFolder, said: Said, tmp_path: Path) -> None:
    code, table = said(leaderboard.main, study.path, "--top", 3)
    assert code == 0
    assert "Leaderboard" in table
    rows: list[dict[str, Any]] = json.loads(said(leaderboard.main, study.path, "--json")[1])
    assert [row["place"] for row in rows] == list(range(1, 13)), "the failed one has no score"
    assert rows[0]["macro_f1"] >= rows[1]["macro_f1"]
    assert said(leaderboard.main, study.path, "--csv", tmp_path / "age.csv")[0] == 0
    with open(tmp_path / "age.csv", newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert [float(row["learning_rate"]) for row in written] == [row["learning_rate"] for row in rows]


def test_a_trial_is_shown_with_its_place_its_parameters_and_the_curve_of_every_fold(
    study: StudyFolder, said: Said
) -> None:
    best = json.loads(said(leaderboard.main, study.path, "--json")[1])[0]["trial"]
    code, text = said(show.main, study.path, best)
    assert code == 0
    assert f"Trial {best} of 나이 [red]" in text
    assert "place 1 of 12" in text
    assert "▁" in text
    facts = json.loads(said(show.main, study.path, best, "--json")[1])
    assert len(facts["epochs"]) == 27
    failed = said(show.main, study.path, 12)[1]
    assert "It failed (not_finite): the loss is [bold]nan" in failed, "names are text, not markup"


def test_two_trials_are_compared_knob_by_knob_and_fold_by_fold(study: StudyFolder, said: Said) -> None:
    rows = json.loads(said(leaderboard.main, study.path, "--json")[1])
    one, other, last = rows[0]["trial"], rows[1]["trial"], rows[-1]["trial"]
    found = json.loads(said(compare.main, study.path, one, other, "--json")[1])
    assert found["knobs"]["learning_rate"] == [rows[0]["learning_rate"], rows[1]["learning_rate"]]
    assert f"Trial {one} is" in found["verdict"]
    assert "came further" in said(compare.main, study.path, one, last)[1]
    same = json.loads(said(compare.main, study.path, one, one, "--json")[1])
    assert same["knobs"] == {}


@pytest.mark.parametrize(
    ("command", "arguments", "complaint"),
    [
        (show.main, (99,), "has no trial 99; its trials are 0 to 12"),
        (compare.main, (0, 12), "trial 12 has no score to compare; python -m analysis.show says why"),
        (export_config.main, (99,), "has no trial 99"),
    ],
)
def test_a_trial_that_is_not_there_is_one_error(
    command: Callable[[], int], arguments: tuple[int, ...], complaint: str, study: StudyFolder, said: Said
) -> None:
    assert said(command, study.path, *arguments)[0] == 2
    assert complaint in said(command, study.path, *arguments)[1]


def test_a_study_that_is_not_there_is_one_error_that_names_those_that_are(study: StudyFolder, said: Said) -> None:
    code, text = said(leaderboard.main, study.path.parent / "나이")
    assert code == 2
    assert "holds no study; Valid: 나이 [red]" in text
    empty = StudyFolder(study.path.parent / "empty")
    empty.path.mkdir()
    begin_or_continue(empty, Identity(toy_space(), {"classes": ["a", "b"]}, {"digest": "s"}), {})
    assert said(leaderboard.main, empty.path) == (0, "empty: no trial has a score yet.\n")
    assert "its trials are none yet" in said(show.main, empty.path, 0)[1]


def test_an_exported_configuration_is_a_space_whose_recipe_is_the_trial(
    study: StudyFolder, said: Said, tmp_path: Path
) -> None:
    file = tmp_path / "winner.yaml"
    code, text = said(export_config.main, study.path, 3, "--out", file)
    assert (code, f"--space {file}" in text) == (0, True)
    space = load_space(str(file), knobs=train_config())
    recorded = json.loads(said(show.main, study.path, 3, "--json")[1])["configuration"]
    assert space.recipe()["learning_rate"] == recorded["learning_rate"]
    assert (space.recipe()["as_trial"], space.search.trials, space.search.folds) == (3, 1, 3)
    assert yaml.safe_load(file.read_text())["parameters"] == {}


def test_a_sparkline_has_a_bar_for_every_value_the_highest_for_the_largest() -> None:
    assert sparkline([0.0, 0.5, 1.0]) == "▁▅█"
    assert sparkline([0.3, 0.3]) == "▁▁"
    assert sparkline([]) == ""
    assert len(sparkline([float(one) for one in range(100)], 24)) == 24
