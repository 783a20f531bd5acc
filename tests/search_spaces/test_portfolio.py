"""Portfolios: made of studies, read from files, and projected onto the space of a search."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.console import Console

from analysis.portfolio.across import portfolio_across
from analysis.portfolio.greedy import greedy_order, ranked
from analysis.portfolio.studies import read_judged
from benchmarks.knowledge.shipped import shipped, tables
from launch.continuing import with_looks
from launch.initial_configurations import PORTFOLIO_SHARE, Beginning, from_portfolio, warm_start
from launch.launch import prepared_launches
from launch.options import parse_options
from launch.resolve import with_shipped_portfolio
from schedulers.samplers.transfer.known import Known
from search_spaces import Choice, Range, SearchSettings, SearchSpace, SpaceError, load_space
from search_spaces.portfolio import find_portfolio, lies_in, read_portfolio, within
from studies.identity import Identity
from studies.metrics import METRICS
from studies.study import Study, begin_or_continue
from studies.study_folder import StudyFolder
from tests.toys import ROOT
from tests.toys.search import ToyDriver, toy_space
from trainables.config import TrainConfig, configured, train_config

FILE = """
format: 1
metric: macro_f1
sets: [letters, faces]
first: 3
configurations:
- {origin: one, configuration: {learning_rate: 0.7, optimizer: adamw, drop_rate: 0.1}}
- {origin: two, configuration: {learning_rate: 2.0, optimizer: lion, shake: 3}}
- {origin: three, configuration: {learning_rate: 0.8, optimizer: sgd}}
"""


def space(**search: object) -> SearchSpace:
    fields = {
        "parameters": {"learning_rate": Range(low=0.6, high=1.0), "optimizer": Choice(choice=("sgd", "adamw"))},
        "defaults": TrainConfig().model_dump(),
        "search": SearchSettings(**{"folds": 3, "trials": 6, "portfolio": "mine.yaml", **search}),  # type: ignore[arg-type]
    }
    return toy_space().model_copy(update=fields)


def study(folder: Path, seed: int) -> StudyFolder:
    made = StudyFolder(folder)
    made.path.mkdir()
    toy = toy_space(trials=12, seed=seed)
    begin_or_continue(made, Identity(toy, {"classes": ["a", "b"]}, {"digest": "s"}), {})
    ToyDriver(made.record, toy).start().finish()
    return made


def test_the_greedy_order_begins_with_the_best_mean_and_goes_on_with_what_helps_where_it_is_needed() -> None:
    scores = np.array([[0.9, 0.8, 0.1, 0.85], [0.2, 0.6, 0.9, 0.65]])
    assert greedy_order(scores) == [3, 2, 0, 1]


@given(arrays(float, (3, 7), elements=st.floats(0, 1)))
def test_every_configuration_comes_once_and_the_best_so_far_never_falls(scores: np.ndarray) -> None:
    order = greedy_order(scores)
    assert sorted(order) == list(range(7))
    assert scores[:, order[0]].mean() == pytest.approx(scores.mean(axis=0).max())
    assert (ranked(scores).max(axis=1) <= 1).all()
    assert ranked(scores).mean() == pytest.approx(0.5)


def begun(folder: Path, **search: object) -> Beginning:
    return from_portfolio(space(**search), folder, None)


def test_a_study_begins_with_half_its_trials_from_the_portfolio_as_far_as_they_lie_in_its_space(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(FILE)
    known = begun(tmp_path)
    assert [one.origin for one in known.queue] == ["portfolio"] * 3
    rates = [one.configuration["learning_rate"] for one in known.queue]
    assert rates == [0.8, 0.7, 1.0], "first what lies in the space; what does not is moved to the end of the range"
    assert [one.configuration["optimizer"] for one in known.queue] == ["sgd", "adamw", space().recipe()["optimizer"]]
    assert begun(tmp_path).queue == known.queue
    (tmp_path / "texts.yaml").write_text(FILE.replace("0.7", "7e-1"))
    assert begun(tmp_path, portfolio="texts.yaml").queue == known.queue, "YAML takes 7e-1 for a text"
    assert known.queue[1].configuration["drop_rate"] == TrainConfig().drop_rate, "the space fixes it"
    assert known.notes == (
        "Portfolio mine.yaml: 3 configurations come before the sampler's; left out, as this space fixes them: drop_rate; left"
        " out, as this version knows no such knob: shake; outside this space, so the nearest or the recipe's is taken:"
        " learning_rate 2, optimizer lion; too few of all could have been drawn from this space to say what others are"
        " worth in it.",
    )
    assert len(begun(tmp_path, trials=4).queue) == 2
    assert begun(tmp_path, portfolio="none") == Beginning()


def test_a_portfolio_of_an_older_version_is_read_under_the_names_of_today(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(FILE.replace("drop_rate: 0.1", "pretrained: false"))
    assert "left out, as this space fixes them: weights" in begun(tmp_path).notes[0]


def test_an_option_is_not_carried_over_to_an_optimizer_that_it_does_not_belong_to() -> None:
    parameters = {
        "optimizer": Choice(choice=("sgd", "adamw")),
        "optimizer_options.eps": Range(low=1e-9, high=1e-6, log=True, when={"optimizer": "adamw"}),
    }
    narrow = space().model_copy(update={"parameters": parameters})
    kept = within(narrow, {"optimizer": "adamw", "optimizer_options.eps": 1e-7})
    dropped = within(narrow, {"optimizer": "sgd", "optimizer_options.eps": 1e-7})
    assert kept["optimizer_options.eps"] == 1e-7
    assert "optimizer_options.eps" not in dropped


def test_a_warm_start_beside_a_portfolio_is_the_same_when_the_same_command_is_typed_again(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(FILE)
    other, folder = study(tmp_path / "other", 1), StudyFolder(tmp_path / "toy")

    def known() -> Beginning:
        return warm_start(other, space(), ["a", "b"]).before(from_portfolio(space(), tmp_path, Study.open(folder)))

    first = known()
    assert first.kept is not None
    folder.path.mkdir()
    files = {folder.portfolio.name: first.kept.spelled()}
    begin_or_continue(folder, Identity(space(), {"classes": ["a", "b"]}, {"digest": "s"}), files)
    assert known() == first


def test_a_study_goes_on_with_the_portfolio_that_it_began_with(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(FILE)
    folder = StudyFolder(tmp_path / "toy")
    folder.path.mkdir()
    first = from_portfolio(space(), tmp_path, Study.open(folder))
    assert first.kept is not None
    files = {folder.portfolio.name: first.kept.spelled()}
    begin_or_continue(folder, Identity(space(), {"classes": ["a", "b"]}, {"digest": "s"}), files)
    (tmp_path / "mine.yaml").unlink()
    assert from_portfolio(space(), tmp_path, Study.open(folder)) == first
    (tmp_path / "other.yaml").write_text(FILE.replace("0.8", "0.9"))
    rates = [one.configuration["learning_rate"] for one in begun(tmp_path, portfolio="other.yaml").queue]
    assert rates == [0.9, 0.7, 1.0], "unless another is named"


@pytest.mark.slow
def test_a_study_keeps_the_portfolio_it_began_with_when_another_was_named_in_between(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(FILE)
    (tmp_path / "other.yaml").write_text(FILE.replace("0.7", "0.9"))
    (tmp_path / "toy.yaml").write_text(
        "task: mask\ndata: {source: sample_faces, people: 12, scale: 0.125, holdout: 0}\nmetric: macro_f1\n"
        "parameters: {learning_rate: {low: 0.6, high: 1.0}}\n"
        "constants: {backbone: test_efficientnet, image_size: 32, epochs: 1, weights: none}\n"
        "search: {trials: 2, folds: 2, finalists: 1, portfolio: mine.yaml}\n"
    )
    kept = StudyFolder(tmp_path / "toy").portfolio

    def launched(*options: str) -> float:
        command = ["launch_search.py", "--space", str(tmp_path / "toy.yaml"), "--results", str(tmp_path), *options]
        monkeypatch.setattr(sys, "argv", command)
        with prepared_launches(parse_options(""), Console(), lambda *lines: None) as (launch,), launch.locked():
            launch.begin()
            return float(launch.known.queue[0].configuration["learning_rate"])

    assert launched() == 0.7
    before = kept.read_text()
    assert launched("--set", "search.portfolio=other.yaml") == 0.9
    assert kept.read_text() == before, "what it began with"
    (tmp_path / "mine.yaml").write_text(FILE.replace("0.7", "0.65"))
    assert launched() == 0.7, "not what the file says by now"


def test_a_portfolio_that_repeats_the_recipe_or_itself_counts_what_is_new(tmp_path: Path) -> None:
    again = FILE.splitlines()[-1].replace("three", "four")
    (tmp_path / "mine.yaml").write_text(FILE.replace("first: 3", "first: 5") + again)
    known = begun(tmp_path, trials=20)
    assert len(known.queue) == 3
    assert "3 configurations come before" in known.notes[0]
    three = {**space().defaults, "learning_rate": 0.8, "optimizer": "sgd"}
    alike = space(trials=20).model_copy(update={"defaults": three})
    assert len(from_portfolio(alike, tmp_path, None).queue) == 2
    (tmp_path / "mine.yaml").write_text(FILE.replace("first: 3", "first: 0"))
    assert "0 configurations come before" in begun(tmp_path).notes[0]


def test_a_study_that_knows_what_to_expect_looks_less_often() -> None:
    def looks(informed: bool, **search: object) -> tuple[int | None, float | None]:
        settings = with_looks(space(**search), informed=informed).search
        return settings.looks, settings.keep

    assert looks(False) == (3, 0.5)
    assert looks(True) == (2, 0.25)
    assert looks(True, looks=4) == (4, 0.25)
    assert looks(True, scheduler="survey") == (None, None)


def test_the_shipped_portfolio_is_left_out_where_it_was_judged_with_other_backbones(tmp_path: Path) -> None:
    def named(**fields: object) -> str | None:
        return with_shipped_portfolio(space(portfolio=None).model_copy(update=fields)).search.portfolio

    assert named() == "shipped"
    assert named(constants={"backbone": "efficientnet_b3"}) == "none"
    both = Choice(choice=("efficientnet_b3", "tf_efficientnet_lite0"))
    assert named(parameters={"backbone": both}) == "shipped", "the recipe's was"
    large = {**space().defaults, "backbone": "efficientnet_b3"}
    assert named(parameters={"backbone": both}, defaults=large) == "none", "the recipe's was not"
    other = space(portfolio="shipped").model_copy(update={"constants": {"backbone": "efficientnet_b3"}})
    assert "judged with tf_efficientnet_lite0, not efficientnet_b3" in from_portfolio(other, tmp_path, None).notes[0]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            "format: 1\nfirst: 0\nsets: []\nconfigurations: []",
            r"metric: is missing; add it; a portfolio is written by python -m",
        ),
        (FILE.replace("format: 1", "format: 2"), r"format: Input should be 1"),
        (FILE.replace("origin: one", "name: one"), r"configurations\.0\.(origin|name): "),
        ("[1", r"is no portfolio .*; a portfolio is written by python -m analysis\.portfolio"),
        (FILE.replace("0.7", ".nan"), r"configurations\.0\.configuration\.learning_rate"),
    ],
)
def test_a_file_that_is_no_portfolio_is_refused(content: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(SpaceError, match=rf"mine\.yaml: .*{complaint}"):
        begun(tmp_path)
    with pytest.raises(SpaceError, match=r"search\.portfolio: yours\.yaml: no such file"):
        begun(tmp_path, portfolio="yours.yaml")


def test_a_new_study_begins_with_the_shipped_portfolio_unless_it_names_another() -> None:
    assert with_shipped_portfolio(space(portfolio=None)).search.portfolio == "shipped"
    assert with_shipped_portfolio(space(portfolio="none")).search.portfolio == "none"
    assert with_shipped_portfolio(space(portfolio="mine.yaml")).search.portfolio == "mine.yaml"


@pytest.mark.parametrize("name", ["age", "gender", "mask", "classify"])
def test_the_shipped_portfolio_fits_the_shipped_spaces_on_a_cpu_and_stays_out_of_them_on_a_gpu(name: str) -> None:
    cpu, gpu = (load_space(name, knobs=train_config(), metrics=METRICS, profile=profile) for profile in ("cpu", "gpu"))
    known = read_portfolio(find_portfolio("shipped", Path("nowhere")))
    fitting = [entry for entry in known.configurations if lies_in(cpu, entry)]
    assert len(fitting) > known.first / PORTFOLIO_SHARE > 0, "half of the trials are the sampler's"
    assert all(configured(within(cpu, entry.configuration)) for entry in fitting)
    assert len({str(within(cpu, entry.configuration)) for entry in fitting}) == len(fitting)
    assert Known(cpu, known)
    assert gpu.search.portfolio == "published", "the shipped one was judged on small nets"
    published = read_portfolio(find_portfolio("published", Path("nowhere")))
    assert all(configured(within(gpu, entry.configuration)) for entry in published.configurations)
    begun = from_portfolio(gpu, Path("nowhere"), None)
    assert [one.configuration["optimizer"] for one in begun.queue].count("sgd") == 1
    assert len(begun.queue) == published.first
    assert not begun.informed, "nothing of it was measured"


def test_a_portfolio_of_finished_studies_begins_with_what_is_best_in_them(tmp_path: Path) -> None:
    studies = [read_judged(study(tmp_path / name, seed)) for name, seed in (("one", 1), ("two", 2))]
    made = portfolio_across(studies, 5)
    assert (made.sets, made.first, len(made.configurations)) == (("one", "two"), 5, 24)
    assert made.configurations[0].place > 0.9 > 0.1 > min(one.place for one in made.configurations)
    assert abs(float(made.configurations[0].configuration["learning_rate"] or 0) - 0.7) < 0.1, "the toy's peak"


@pytest.mark.slow
def test_the_command_writes_a_file_that_a_space_can_name(tmp_path: Path) -> None:
    for name, seed in (("one", 1), ("two", 2)):
        study(tmp_path / name, seed)
    command = [sys.executable, "-m", "analysis.portfolio", str(tmp_path / "one"), str(tmp_path / "two")]
    ended = subprocess.run(
        [*command, "--out", str(tmp_path / "mine.yaml"), "--first", "4"], cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"24 configurations of one, two, 4 to be tried first -> {tmp_path}/mine.yaml")
    proposals = begun(tmp_path, trials=20).queue
    assert len(proposals) == 4
    assert all(within(space(), one.configuration) == one.configuration for one in proposals)
    refused = subprocess.run([*command[:3], "nowhere", "--out", "x"], cwd=ROOT, capture_output=True, text=True)
    assert (refused.returncode, "holds no study" in refused.stdout + refused.stderr) == (2, True)
    partly = subprocess.run(
        [*command, "nowhere", "--out", str(tmp_path / "mine.yaml")], cwd=ROOT, capture_output=True, text=True
    )
    assert (partly.returncode, "Left out:" in partly.stdout) == (0, True)
    negative = subprocess.run([*command, "--out", "x", "--first", "-1"], cwd=ROOT, capture_output=True, text=True)
    assert negative.returncode == 2
    assert "must be a number of configurations" in negative.stderr


def test_the_shipped_portfolio_is_what_its_command_makes_of_the_recorded_sets() -> None:
    file = find_portfolio("shipped", Path("nowhere"))
    assert read_portfolio(file) == shipped(tables())
