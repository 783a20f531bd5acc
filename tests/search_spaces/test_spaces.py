"""A space is checked before anything runs, and what it draws is what it says."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.sources.opening import data_options
from launch.fit.sizes import sizes_for
from schedulers.samplers.ask import ask
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces import Choice, Range, SearchSpace, SpaceError, load_space
from search_spaces.durations import parse_duration, spell_duration
from search_spaces.reading import SHIPPED, profile_names
from studies.metrics import METRICS
from studies.state.study_state import StudyState
from trainables.config import TrainConfig

GOOD = """
task: age
data: {source: sample_faces}
metric: macro_f1
parameters:
  optimizer:     {choice: [adamw, sgd, radam]}
  learning_rate: {low: 1e-5, high: 1e-2, log: true}
  momentum:      {low: 0.8, high: 0.98, when: {optimizer: sgd}}
  batch_size:    {low: 16, high: 64, step: 16}
  cutmix_probability: {low: 0.0, high: 0.8}
  cutmix_lambda: {choice: [half, beta]}
  cutmix_alpha:  {low: 0.2, high: 2.0, when: {cutmix_lambda: beta}}
constants: {image_size: 64, epochs: 4}
search: {trials: 8, folds: 5, finalists: 2}
profiles:
  cpu: {constants: {image_size: 32}, search: {time_budget: 5m}}
"""
LADDER = FoldLadder(epochs=4, folds=5)


def load(tmp_path: Path, text: str = GOOD, **options: object) -> SearchSpace:
    file = tmp_path / "own.yaml"
    file.write_text(text)
    return load_space(str(file), knobs=TrainConfig, data_options=data_options(), metrics=METRICS, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(path.name for path in SHIPPED.glob("*.yaml")))
def test_every_shipped_space_loads_under_every_profile_and_opens_with_its_command(name: str) -> None:
    for profile in [None, *profile_names(name)]:
        space = load_space(name, knobs=TrainConfig, data_options=data_options(), profile=profile)
        TrainConfig(**space.recipe())
        assert space.contains(space.recipe()), "the recipe must be one that the sampler can learn from"
    assert f"python launch_search.py --space {name}" in (SHIPPED / name).read_text()


def test_numbers_that_yaml_reads_as_text_are_numbers(tmp_path: Path) -> None:
    rate = load(tmp_path).parameters["learning_rate"]
    assert isinstance(rate, Range)
    assert (rate.low, rate.high) == (1e-5, 1e-2)


def test_a_profile_overrides_parameters_constants_and_budget_only(tmp_path: Path) -> None:
    plain, cpu = load(tmp_path), load(tmp_path, profile="cpu")
    assert plain.constants["image_size"] == 64
    assert cpu.constants == {"image_size": 32, "epochs": 4}
    assert (plain.search.time_budget, cpu.search.time_budget) == (None, 300.0)
    with pytest.raises(SpaceError, match=r"profiles: there is no profile 'cpus'; did you mean cpu\?"):
        load(tmp_path, profile="cpus")
    with pytest.raises(SpaceError, match=r"profiles\.cpu\.data: a profile sets only these"):
        load(tmp_path, GOOD.replace("cpu: {constants", "cpu: {data: {}, constants"))
    wider = GOOD.replace("cpu: {constants", "cpu: {parameters: {drop_rate: {low: 0.1, high: 0.2}}, constants")
    assert load(tmp_path, wider, profile="cpu").parameters["drop_rate"].high == 0.2  # type: ignore[union-attr]
    assert load(tmp_path, wider, profile="cpu").parameters.keys() >= load(tmp_path, wider).parameters.keys()


def test_values_of_choices_defaults_and_conditions_are_of_the_knobs_type(tmp_path: Path) -> None:
    text = GOOD.replace("{low: 1e-5, high: 1e-2, log: true}", "{choice: [1e-4, 1e-3], default: 1e-3}")
    space = load(tmp_path, text.replace("when: {optimizer: sgd}", "when: {learning_rate: 1e-4}"))
    assert space.recipe()["learning_rate"] == 1e-3
    assert space.parameters["momentum"].is_active({"learning_rate": 0.0001})
    with pytest.raises(SpaceError, match=r"batch_size\.step: must be a whole number"):
        load(tmp_path, GOOD.replace("step: 16", "step: 0.5"))


def test_other_data_keeps_the_options_that_every_source_shares(tmp_path: Path) -> None:
    text = GOOD.replace("source: sample_faces", "source: folder, root: images, split: by_image, holdout: 0.1")
    space = load(tmp_path, text, data={"source": "csv", "file": "labels.csv"}, overrides=["data.holdout=0.3"])
    assert (space.data["source"], space.data["file"]) == ("csv", "labels.csv")
    assert (space.data["split"], space.data["holdout"]) == ("by_image", 0.3)


def test_overrides_reach_parameters_constants_and_search(tmp_path: Path) -> None:
    space = load(
        tmp_path, overrides=["learning_rate.high=3e-3", "constants.epochs=6", "search.trials=9", "optimizer=sgd"]
    )
    rate = space.parameters["learning_rate"]
    assert isinstance(rate, Range)
    assert rate.high == 3e-3
    assert space.constants["epochs"] == 6
    assert space.search.trials == 9
    assert "optimizer" not in space.parameters
    assert space.constants["optimizer"] == "sgd"


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("task: age", "tusk: age", r"own\.yaml: tusk: unknown key; did you mean task\?"),
        (
            "learning_rate:",
            "learning_rte:",
            r"parameters\.learning_rte: unknown hyperparameter; did you mean learning_rate\?",
        ),
        ("low: 1e-5", "low: tiny", r"parameters\.learning_rate\.low: .*number.*'tiny'"),
        ("low: 1e-5", "low: 1e-1", r"parameters\.learning_rate: low must be below high"),
        ("low: 1e-5", "low: 0", r"parameters\.learning_rate: log needs low above 0"),
        ("log: true", "lag: true", r"parameters\.learning_rate\.lag: unknown key; did you mean log\?"),
        ("when: {optimizer: sgd}", "when: {optimiser: sgd}", r"momentum\.when\.optimiser: depends on what is neither"),
        ("when: {optimizer: sgd}", "when: {optimizer: sgdd}", r"'sgdd' is never chosen; did you mean sgd\?"),
        ("choice: [adamw, sgd, radam]", "choice: []", r"parameters\.optimizer\.choice: .*at least 1 item"),
        (
            "choice: [half, beta]",
            "choice: [half, gamma]",
            r"cutmix_lambda\.choice: .*'half', 'fixed', 'uniform' or 'beta'",
        ),
        (
            "constants: {image_size: 64",
            "constants: {momentum: 0.9, image_size: 64",
            r"parameters\.momentum: is also a constant",
        ),
        (
            "  optimizer: ",
            "  epochs: {low: 1, high: 9}\n  optimizer: ",
            r"parameters\.epochs: cannot be searched: .* measure",
        ),
        ("  optimizer: ", "  folds: {low: 2, high: 9}\n  optimizer: ", r"parameters\.folds: cannot be searched"),
        ("  optimizer: ", "  target: {choice: [58, 60]}\n  optimizer: ", r"parameters\.target: cannot be searched"),
        ("constants: {image_size: 64", "constants: {image_size: big", r"constants\.image_size: .*integer.*'big'"),
        ("trials: 8", "trials: 0", r"search\.trials: .*greater than or equal to 1"),
        ("finalists: 2", "finalists: 9", r"finalists is 9 but search\.trials only 8"),
        ("finalists: 2", "finalist: 2", r"search\.finalist: unknown key; did you mean finalists\?"),
        ("time_budget: 5m", "time_budget: soon", r"search\.time_budget: is no duration"),
        ("source: sample_faces", "source: sample_face", r"data: .*'sample_faces'"),
        ("source: sample_faces", "source: sample_faces, peple: 20", r"data\.peple: unknown key; did you mean people\?"),
        ("task: age\n", "", r"task: is missing; add it, such as task: age"),
        ("data: {source: sample_faces}", "data: {}", r"data\.source: is missing; Valid: competition, csv"),
        (
            "cpu: {constants: {image_size: 32}, search: {time_budget: 5m}}",
            "cpu: 3",
            r"profiles\.cpu: must be a mapping",
        ),
        ("constants: {image_size: 64, epochs: 4}", "constants: 3", r"constants: must be a mapping"),
        ("metric: macro_f1", "metric: acuracy", r"metric: there is no metric 'acuracy'; did you mean accuracy"),
        ("parameters:", "parameters: [", r"is not readable YAML at line"),
    ],
)
def test_a_mistake_is_one_error_with_file_key_and_way_out(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    profile = "cpu" if "time_budget" in old else None
    assert old in GOOD
    with pytest.raises(SpaceError, match=complaint) as caught:
        load(tmp_path, GOOD.replace(old, new), profile=profile)
    assert str(caught.value).startswith("own.yaml")


@pytest.mark.parametrize("override", ["learning_rate.high", "momentum.low=[", "constants=3", "task.name=x", "no.low=3"])
def test_an_override_that_cannot_be_meant_is_one_error(tmp_path: Path, override: str) -> None:
    with pytest.raises(SpaceError):
        load(tmp_path, overrides=[override])


def test_circular_conditions_are_refused_with_the_circle(tmp_path: Path) -> None:
    text = GOOD.replace("choice: [adamw, sgd, radam]", "choice: [adamw, sgd], when: {cutmix_lambda: beta}")
    text = text.replace("choice: [half, beta]", "choice: [half, beta], when: {optimizer: sgd}")
    with pytest.raises(SpaceError, match="is circular: optimizer -> cutmix_lambda -> optimizer"):
        load(tmp_path, text)


def test_an_unknown_space_lists_those_that_are_shipped() -> None:
    with pytest.raises(SpaceError, match=r"did you mean age\.yaml\? Valid: age\.yaml, classify\.yaml"):
        load_space("agee.yaml", knobs=TrainConfig)


def test_a_space_without_parameters_is_fine(tmp_path: Path) -> None:
    space = load(tmp_path, "task: age\ndata: {source: sample_faces}\n")
    assert space.parameters == {}
    assert space.recipe() == TrainConfig().model_dump()


def test_a_stored_space_is_the_same_space(tmp_path: Path) -> None:
    space = load(tmp_path, profile="cpu")
    assert SearchSpace.model_validate(yaml.safe_load(yaml.safe_dump(space.model_dump(mode="json")))) == space


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), number=st.integers(1, 1000), sampler=st.sampled_from(["tpe", "random"]))
def test_whatever_is_drawn_lies_in_the_space_and_trains(
    seed: int, number: int, sampler: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    space = load(tmp_path_factory.getbasetemp(), overrides=[f"search.sampler={sampler}", f"search.seed={seed}"])
    drawn = ask(space, StudyState(), LADDER, number)
    TrainConfig(**drawn)
    assert space.contains(drawn)
    assert ("momentum" in space.active(drawn)) == (drawn["optimizer"] == "sgd")
    assert ("cutmix_alpha" in space.active(drawn)) == (drawn["cutmix_lambda"] == "beta")
    assert drawn["batch_size"] in (16, 32, 48, 64)


def test_ranges_and_choices_know_their_values() -> None:
    assert Range(low=16, high=64, step=16, integer=True).contains(48)
    assert not Range(low=16, high=64, step=16, integer=True).contains(40)
    assert not Range(low=0, high=1).contains(True)
    assert Choice(choice=("a", None)).contains(None)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("8h", 28800), ("1h30m", 5400), ("45", 45), (60, 60)]
)
def test_durations_read_as_people_write_them(text: object, seconds: float) -> None:
    assert parse_duration(text) == seconds


@given(st.floats(0, 10**7))
def test_a_spelled_duration_is_short(seconds: float) -> None:
    assert len(spell_duration(seconds)) < 12


def test_what_can_do_nothing_is_refused_with_all_that_hangs_on_it(tmp_path: Path) -> None:
    with pytest.raises(
        SpaceError,
        match=r"mask\.yaml: parameters\.label_smoothing: does nothing here: it needs head classification or ordinal, and head is"
        r" regression; --set label_smoothing=0\.1 --set loss=cross_entropy --set focal_gamma=2\.0 takes it out",
    ):
        load_space("mask", knobs=TrainConfig, overrides=["head=regression"])
    conditional = load_space("age", knobs=TrainConfig, overrides=["head=regression"])
    gone = {"label_smoothing", "loss", "focal_gamma"}
    assert not gone & conditional.parameters.keys(), "their conditions say that they are never drawn then"
    with pytest.raises(
        SpaceError, match=r"constants\.focal_gamma: does nothing here: it needs loss focal or mixture, and"
    ):
        load(tmp_path, GOOD.replace("epochs: 4}", "epochs: 4, focal_gamma: 1.0}"))
    load(tmp_path, GOOD.replace("epochs: 4}", "epochs: 4, focal_gamma: 2.0}"))  # its default says nothing


AUTO = """
task: mask
data: {source: sample_faces}
parameters: {batch_size: {choice: [8, 24, 64], default: auto}}
constants: {epochs: auto, image_size: 32}
search: {trials: 8, folds: 2, finalists: 2}
"""


def test_auto_is_a_number_that_follows_from_the_pictures_and_a_stated_one_wins(tmp_path: Path) -> None:
    space = load(tmp_path, AUTO)
    assert space.sized_by_data == ("epochs", "batch_size")
    small, large = (space.with_sizes(sizes_for(pictures)) for pictures in (150, 3000))
    assert (small.constants["epochs"], small.recipe()["batch_size"]) == (20, 8)
    assert (large.constants["epochs"], large.recipe()["batch_size"]) == (4, 24)
    assert small.parameters["batch_size"].default == 8
    stated = load(tmp_path, AUTO, overrides=["constants.epochs=7"])
    assert stated.sized_by_data == ("batch_size",)
    assert stated.with_sizes(sizes_for(150)).constants["epochs"] == 7
    assert sizes_for(150, 64) == {"batch_size": 64, "epochs": 24}, "a large batch makes few steps of an epoch"
    assert sizes_for(1600, 16, accumulation=4)["epochs"] == 4 * sizes_for(1600, 16)["epochs"] // 2 == 8
    assert sizes_for(10)["batch_size"] == 10
    tight = load(tmp_path, AUTO.replace("trials: 8", "trials: 8, fold_epochs: 20, grace_period: 6"))
    with pytest.raises(SpaceError, match=r"own: search\.fold_epochs is 20 but the recipe .* take 80; raise"):
        tight.with_sizes(sizes_for(150))
    with pytest.raises(SpaceError, match=r"search\.grace_period is 6 but constants\.epochs only 4"):
        load(tmp_path, AUTO.replace("trials: 8", "trials: 8, grace_period: 6")).with_sizes(sizes_for(3000))
    with pytest.raises(SpaceError, match=r"constants\.image_size: .*valid integer"):
        load(tmp_path, AUTO.replace("image_size: 32", "image_size: auto"))


@given(st.integers(20, 20_000))
def test_fewer_pictures_never_mean_fewer_epochs(pictures: int) -> None:
    fewer, more = sizes_for(pictures), sizes_for(pictures + 500)
    assert fewer["epochs"] >= more["epochs"] >= 4
    assert fewer["batch_size"] <= more["batch_size"]
