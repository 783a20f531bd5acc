"""What people meet on a terminal: the live table at every width, help with examples, completion, forecasts that admit doubt."""

import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from rich.console import Console

from analysis.reading.pace import spell_left
from analysis.terminal.progress import SearchProgress
from launch.event_lines import event_lines
from schedulers.spending.forecast import Forecasts
from studies.record.events import ClimbEnded, FieldClosed, SearchEnded, TrialAdded
from studies.record.record import read_record
from studies.study_folder import StudyFolder
from tests.toys import ROOT
from tests.toys.search import ToyDriver, toy_space

COMMANDS = sorted(
    str(file.relative_to(ROOT))
    for file in (*ROOT.glob("*.py"), *ROOT.glob("analysis/**/*.py"), *ROOT.glob("launch/*.py"))
    if "PYTHON_ARGCOMPLETE_OK" in file.read_text()
)


def shown(tmp_path: Path, width: int, encoding: str = "utf-8") -> str:
    """Return the live table of a search in its middle."""
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=40), slots=3).start()
    for _ in range(100):
        driver.tick()
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=out, width=width, force_terminal=True, no_color=True)
    console.print(SearchProgress(console, driver.run).table())
    out.flush()
    return re.sub(r"\x1b\[[0-9;]*m", "", out.buffer.getvalue().decode(encoding))  # type: ignore[attr-defined]


def test_a_wide_terminal_shows_curves_and_who_stands_on_which_rung(tmp_path: Path) -> None:
    said = shown(tmp_path, 120)
    for words in (
        "Training now",
        " epoch ",
        "Rungs",
        "standing there",
        "throughput",
        "best configuration",
        "time left",
    ):
        assert words in said
    assert re.search("[▁▂▃▄▅▆▇█]{2}", said)


@pytest.mark.parametrize("width", [40, 60, 79])
def test_a_narrow_terminal_is_not_overrun(tmp_path: Path, width: int) -> None:
    said = shown(tmp_path, width)
    assert max(map(len, said.splitlines())) <= width
    assert "standing there" not in said
    assert "Rungs" in said


def test_a_terminal_without_letters_for_curves_gets_none(tmp_path: Path) -> None:
    assert shown(tmp_path, 120, "ascii").isascii()


def test_a_forecast_says_between_what_it_wandered() -> None:
    forecasts = Forecasts()
    for spent, left in ((10, 100), (20, 60), (40, 80)):
        forecasts.take(spent, left)
    least, most = forecasts.between(40, 70)
    assert least == pytest.approx(0.85 * 40), "the end was expected at 80 once"
    assert most == pytest.approx(1.15 * 80)
    assert forecasts.between(40, 70, limit=72)[1] == 72, "the time budget ends it"
    assert spell_left(70, least, most) == "about 1m 10s, between 34s and 1m 32s"
    assert spell_left(None) == "not known yet"


def test_ctrl_c_stops_the_search_though_whoever_reads_it_has_gone(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, time\n"
        "from command_line.console import say\n"
        "from launch.signals import stopping_on_signals\n"
        "stopped = []\n"
        "class Search:\n"
        "    def stop(self): stopped.append(1)\n"
        "with stopping_on_signals(Search(), say, 'again'):\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    time.sleep(0.2)\n"
        "    say('more')\n"
        f"open({str(tmp_path / 'told')!r}, 'w').write(str(stopped))\n"
    )
    gone, output = os.pipe()
    os.close(gone)
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=output, timeout=60, check=True)
    os.close(output)
    assert (tmp_path / "told").read_text() == "[1]"


def test_epochs_have_the_patience_after_sigterm_that_was_asked_for(tmp_path: Path) -> None:
    code = (
        "import os, signal, time\n"
        "from launch.signals import stopping_on_signals\n"
        "class Search:\n"
        "    def stop(self): pass\n"
        "    def close_at_once(self): print('recorded', flush=True)\n"
        "with stopping_on_signals(Search(), print, 'again', 0.3):\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    time.sleep(0.1)\n"
        "    print('still at work', flush=True)\n"
        "    time.sleep(20)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=15)
    assert done.returncode == 130
    assert done.stdout.split("\n")[1:3] == ["still at work", "recorded"]


def test_a_search_that_is_left_in_the_middle_of_an_event_records_its_end_after_it(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=3)).start()
    driver.tick()
    with driver.run.log.writing:
        leaving = threading.Thread(target=driver.run.close_at_once)
        leaving.start()
        driver.run.log.note(FieldClosed, reason="was being written")
    leaving.join()
    *_, written, stopped, ended = read_record(tmp_path / "record.jsonl")
    assert isinstance(written, FieldClosed)
    assert isinstance(stopped, ClimbEnded)
    assert isinstance(ended, SearchEnded)
    assert ended.outcome == "stopped"


def test_json_goes_on_though_whoever_reads_it_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, written = os.pipe()  # whose buffer is full after 64 KiB
    monkeypatch.setattr("sys.stdout", os.fdopen(written, "w"))
    monkeypatch.setattr("launch.event_lines._PATIENCE", 0.1)
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=60))
    with event_lines(StudyFolder(tmp_path), driver.run) as take:
        for trial in range(2000):
            take(TrialAdded(time=0, trial=trial, configuration={"learning_rate": 0.1}, origin="gp"))
    whole = os.read(read, 2**16)
    assert whole.startswith(b'{"time":0')


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_gives_an_example_that_it_takes(command: str) -> None:
    said = asked(command, "--help").stdout
    module = "-m " + command.removesuffix(".py").removesuffix("/__main__").replace("/", ".")
    assert f"python {command if '/' not in command else module} " in said
    (alone,) = re.findall(r"^options:\n((?:  .*\n)+)", said, flags=re.MULTILINE)
    assert re.findall(r"^  (-.*?)  ", alone, flags=re.MULTILINE) == ["-h, --help"], "all others have a group"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "typed", "wanted"),
    [
        ("launch_search.py", "--time", "--time-budget"),
        ("launch_search.py", "--space gen", "gender.yaml"),
        ("export_best.py", "--ar", "--archive"),
        ("predict.py", "--im", "--images"),
        ("launch/control.py", "results/age st", "stop-trial"),
    ],
)
def test_the_shell_is_told_how_a_line_may_go_on(tmp_path: Path, command: str, typed: str, wanted: str) -> None:
    line = f"{command} {typed}"
    asks = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n"}
    places = {"_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "out"), "_ARGCOMPLETE_COMP_WORDBREAKS": " "}
    asked(command, **asks, **places)
    assert wanted in (tmp_path / "out").read_text()


def asked(command: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    place = (
        [command]
        if "/" not in command
        else ["-m", command.removesuffix(".py").removesuffix("/__main__").replace("/", ".")]
    )
    return subprocess.run(
        [sys.executable, *place, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
