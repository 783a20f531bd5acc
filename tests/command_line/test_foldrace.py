"""One command with sub-commands that are the scripts and modules; what is printed next is typed the same way."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

from command_line.commands import COMMANDS, TYPED, typed
from launch.options import same_command
from tests.toys import ROOT


def foldrace(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "command_line.foldrace", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_without_a_command_it_says_which_there_are() -> None:
    said = foldrace()
    assert said.returncode == 0
    assert f"commands: {', '.join(COMMANDS)}" in said.stdout


def test_a_command_that_is_not_there_is_refused_with_the_nearest() -> None:
    said = foldrace("serch", "--space", "age.yaml")
    assert (said.returncode, said.stderr) == (2, "error: foldrace has no command serch; did you mean search?\n")
    assert "it is one of search, export" in foldrace("zzz").stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_script_or_a_module_that_is_there(name: str) -> None:
    module = find_spec(COMMANDS[name])
    assert module is not None
    assert module.submodule_search_locations is None or find_spec(f"{COMMANDS[name]}.__main__") is not None


def test_a_command_runs_as_its_script_does_and_is_called_as_it_was_typed() -> None:
    assert foldrace("predict", "--help").stdout.startswith("usage: foldrace predict")
    said = foldrace("check", "results/there is none")
    assert (said.returncode, "holds no study" in said.stdout) == (2, True)


def test_what_is_printed_next_is_typed_as_the_user_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TYPED, raising=False)
    assert [typed("export"), typed("page")] == ["python export_best.py", "python -m analysis.page"]
    monkeypatch.setenv(TYPED, "1")
    assert [typed("export"), typed("page")] == ["foldrace export", "foldrace page"]


def test_the_same_command_again_is_the_one_that_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TYPED, raising=False)
    monkeypatch.setattr(sys, "argv", ["launch_search.py", "--space", "my space.yaml", "--trials", "5"])
    assert same_command() == "python launch_search.py --space 'my space.yaml' --trials 5"
    assert same_command("--trials", "9") == "python launch_search.py --space 'my space.yaml' --trials 9"
    monkeypatch.setenv(TYPED, "1")
    monkeypatch.setattr(sys, "argv", ["foldrace search", "--space", "age.yaml"])
    assert same_command() == "foldrace search --space age.yaml"
