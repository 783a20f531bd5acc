"""Every command in README and docs can be typed as it stands: it parses, and the files, studies' settings and modules exist."""

import re
import shlex
import sys
from argparse import Namespace
from importlib.util import find_spec
from pathlib import Path

import pytest

import export_best
import predict
from datasets.sources.opening import data_options
from launch.options import overrides, parse_options
from launch.per_study import study_options
from schedulers.budget_settings import make_budget
from schedulers.samplers.registry import check_sampler
from schedulers.search_settings import make_strategy
from search_spaces import load_space
from studies.metrics import METRICS
from tests.toys import ROOT
from trainables.config import TrainConfig

PAGES = [ROOT / "README.md", ROOT / "benchmarks/README.md", *sorted((ROOT / "docs").glob("*.md"))]
TITLES = [*sorted((ROOT / "search_spaces").glob("*.yaml"))]  # every space opens with its command


def commands_of(page: Path) -> list[str]:
    """Return the commands that a page shows, in blocks, in backticks or in the comments of a space."""
    text = page.read_text(encoding="utf-8").replace("`python\n-m", "`python -m")
    blocks = re.findall(r"^(?:    |#   )(.+)$", text, re.MULTILINE)
    inline = re.findall(r"`(python [^`]+|launch_search\.py [^`]+)`", text)
    pieces = [piece.strip() for line in (*blocks, *inline) for piece in re.split(r"&&|; do |; done| {2,}#", line)]
    settings = [
        f"python launch_search.py --space age.yaml {found}" for found in re.findall(r"`(--set [^`]+=[^`]+)`", text)
    ]
    commands = [" ".join(piece.split()) for piece in pieces if re.match(r"python (-m|\w+\.py)", piece.strip())]
    return [*commands, *(setting for setting in settings if "data." not in setting)]


COMMANDS = sorted({command for page in (*PAGES, *TITLES) for command in commands_of(page)})


def test_the_pages_show_commands() -> None:
    assert len(COMMANDS) > 40


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_docs_can_be_typed(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = shlex.split(command.replace("$task", "age").replace("search.scheduler=", "search.scheduler=survey"))
    monkeypatch.setattr(sys, "argv", words[1:])
    match words[1]:
        case "launch_search.py":
            check_launch(parse_options("") if "--help" not in words else None)
        case "export_best.py":
            export_best.parse_options("")
        case "predict.py":
            predict.parse_options(predict.__doc__)
        case "-m" if words[2] not in ("pip", "venv"):
            check_module(words[2], words[3:])
        case script if script != "-m":
            assert (ROOT / script).is_file()


def check_launch(options: Namespace | None) -> None:
    if options is None:
        return
    for of_study in study_options(options):
        check_study(of_study)


def check_study(options: Namespace) -> None:
    is_csv = options.data is not None and options.data.endswith(".csv")
    space = load_space(
        options.space,
        knobs=TrainConfig,
        data_options=data_options(),
        metrics=METRICS,
        data={"source": "csv", "file": options.data} if is_csv else None,
        overrides=overrides(options),
    )
    check_sampler(space)
    make_strategy(space)
    make_budget(space)


def check_module(module: str, arguments: list[str]) -> None:
    """Check that a module can be run, and that its source knows the options."""
    spec = find_spec(f"{module}.__main__") if find_spec(module).submodule_search_locations else find_spec(module)  # type: ignore[union-attr]
    assert spec is not None, module
    assert spec.origin is not None
    beside = [ROOT / "benchmarks/reporting.py", *Path(spec.origin).parent.glob("options.py")]
    source = "".join(path.read_text() for path in (Path(spec.origin), *beside))
    for option in (word for word in arguments if word.startswith("--")):
        assert f'"{option}"' in source, f"{module} has no {option}"


def test_no_page_links_to_what_is_not_there() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert link.startswith("http") or (page.parent / link).exists(), f"{page.name}: {link}"
