"""A parameter of several ranges, and choices with weights: what a file may say, what it may not, what is drawn."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as some

from search_spaces import Choice, ConditionalRanges, Range, SearchSpace, SpaceError, load_space
from search_spaces.drawing import drawn, neighbour
from search_spaces.portfolio import Entry, lies_in, within
from tests.toys.conditional import CONDITIONAL
from trainables.config import TrainConfig

TEXT = f"""{CONDITIONAL}constants: {{epochs: 4}}
profiles:
  plain:
    parameters: {{optimizer: {{choice: [adamw, sgd]}}}}
"""


def load(tmp_path: Path, text: str = TEXT, profile: str | None = None, overrides: tuple[str, ...] = ()) -> SearchSpace:
    (tmp_path / "own.yaml").write_text(text)
    return load_space(str(tmp_path / "own.yaml"), knobs=TrainConfig, profile=profile, overrides=overrides)


def test_a_value_is_drawn_from_the_range_whose_condition_holds(tmp_path: Path) -> None:
    space, generator = load(tmp_path), np.random.default_rng(0)
    for _ in range(200):
        one = drawn(space, generator)
        low, high = (1e-2, 3e-1) if one["optimizer"] == "sgd" else (5e-4, 8e-3)
        assert low <= one["learning_rate"] <= high
        assert space.contains(space.complete(one))
        near = neighbour(space, one, generator, 0.3)
        assert space.contains(space.complete(near))
    wrong = space.complete({"optimizer": "sgd", "learning_rate": 2e-3})
    assert not space.contains(wrong), "the range of another optimizer"


def test_a_choice_is_drawn_as_often_as_its_weights_say(tmp_path: Path) -> None:
    space, generator = load(tmp_path), np.random.default_rng(0)
    counts = Counter(drawn(space, generator)["optimizer"] for _ in range(2_000))
    assert counts["adamw"] / 2_000 == pytest.approx(0.6, abs=0.04)
    assert counts["sgd"] / 2_000 == pytest.approx(0.2, abs=0.04)


def test_what_has_a_weight_of_zero_is_never_drawn_by_chance(tmp_path: Path) -> None:
    space = load(tmp_path, TEXT.replace("{adamw: 3, lamb: 1, sgd: 1}", "{adamw: 1, lamb: 1, sgd: 0}"))
    generator = np.random.default_rng(0)
    assert {drawn(space, generator)["optimizer"] for _ in range(200)} == {"adamw", "lamb"}
    assert space.parameters["optimizer"].active_in({}).at(1.0) == "lamb"


def test_the_recipe_has_the_default_of_its_range_and_another_optimizer_a_value_of_its_own(tmp_path: Path) -> None:
    space = load(tmp_path)
    assert space.recipe()["learning_rate"] == 2e-3
    assert space.complete({"optimizer": "lamb"})["learning_rate"] == 2e-3
    assert space.complete({"optimizer": "sgd"})["learning_rate"] == pytest.approx(np.sqrt(1e-2 * 3e-1))


def test_a_stored_space_is_read_back_as_it_was(tmp_path: Path) -> None:
    space = load(tmp_path)
    stored = yaml.safe_load(yaml.safe_dump(space.model_dump(mode="json")))
    assert SearchSpace.model_validate(stored) == space


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "[adamw, lamb]",
            "[adamw, lamb, sgd]",
            "ranges 0 and 1 both hold where optimizer is sgd; narrow the when: of one",
        ),
        ("[adamw, lamb]", "[adamw]", "is lamb; such as --set learning_rate.0.when.optimizer=[adamw, lamb]"),
        (
            "when: {optimizer: sgd}}\n  mom",
            "when: {optimizer: sdg}}\n  mom",
            "1.when.optimizer: 'sdg' is never chosen; did you mean sgd",
        ),
        (", when: {optimizer: [adamw, lamb]}", "", "ranges 0 and 1 both hold where optimizer is sgd"),
        ("low: 1e-2, high: 3e-1", "low: 1e-2, hihg: 3e-1", "learning_rate.1.hihg: unknown key; did you mean high"),
        ("low: 1e-2, high: 3e-1", "choice: [0.1]", "learning_rate.1.choice: unknown key"),
        ("default: 2e-3", "default: 2e-2", "learning_rate.0.default: 0.02 lies outside the parameter"),
        (
            "{cross_entropy: 3, focal: 1}",
            "{cross_entropy: 3, focal: -1}",
            "the weight of 'focal' must be a number of 0 or more (got -1)",
        ),
        (
            "{cross_entropy: 3, focal: 1}",
            "{cross_entropy: 0, focal: 0}",
            "all weights are 0, so nothing could be drawn; raise one",
        ),
        (
            "{cross_entropy: 3, focal: 1}",
            "{cross_entropy: often, focal: 1}",
            "the weight of 'cross_entropy' must be a number",
        ),
        ("{cross_entropy: 3, focal: 1}", "{cross_entropy: 3, focal: .nan}", "the weight of 'focal' must be a number"),
        ("{cross_entropy: 3, focal: 1}", "{cross_entropy: 3, focal: 1, vocal: 1}", "there is no loss 'vocal'"),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_the_way_out(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in TEXT
    with pytest.raises(SpaceError) as raised:
        load(tmp_path, TEXT.replace(old, new))
    assert message in str(raised.value)
    assert "own.yaml: parameters." in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_optimizer_that_is_set_takes_along_what_only_others_need(tmp_path: Path) -> None:
    space = load(tmp_path, overrides=("optimizer=adamw",))
    assert "momentum" not in space.parameters
    assert space.constants["optimizer"] == "adamw"
    (left,) = space.parameters["learning_rate"].ranges  # type: ignore[union-attr]
    assert left.high == 8e-3
    assert "momentum" in load(tmp_path, overrides=("optimizer.choice=[adamw, sgd]",)).parameters
    assert "momentum" in load(tmp_path, profile="plain").parameters


def test_a_set_names_one_of_several_ranges_by_its_number(tmp_path: Path) -> None:
    space = load(tmp_path, overrides=("learning_rate.1.high=0.2",))
    assert space.parameters["learning_rate"].extremes == (5e-4, 8e-3, 1e-2, 0.2)
    replaced = load(tmp_path, overrides=("learning_rate={low: 1e-4, high: 1e-1, log: true}",))
    assert isinstance(replaced.parameters["learning_rate"], Range)
    with pytest.raises(
        SpaceError, match=r"several ranges in own\.yaml; say which: learning_rate\.0 .*learning_rate\.1"
    ):
        load(tmp_path, overrides=("learning_rate.high=0.2",))
    with pytest.raises(SpaceError, match=r"no range holds where optimizer is radam"):
        load(tmp_path, overrides=("optimizer.choice=[adamw, radam]",))
    both = ("optimizer.choice=[adamw, radam]", "learning_rate.0.when.optimizer=[adamw, radam]")
    assert load(tmp_path, overrides=both).parameters["optimizer"].extremes == ("adamw", "radam")


@pytest.mark.parametrize("override", ["parameters.epochs={low: 2, high: 4}", "parameters.batch_size.choice=[8, 16]"])
def test_a_constant_that_is_set_as_a_parameter_is_searched(tmp_path: Path, override: str) -> None:
    text = TEXT.replace("{epochs: 4}", "{epochs: 4, batch_size: 8}")
    if "epochs" in override:
        with pytest.raises(SpaceError, match="cannot be searched"):
            load(tmp_path, text, overrides=(override,))
        return
    space = load(tmp_path, text, overrides=(override,))
    assert space.parameters["batch_size"].extremes == (8, 16)
    assert "batch_size" not in space.constants


def test_a_portfolios_configuration_lies_where_its_own_range_is(tmp_path: Path) -> None:
    space = load(tmp_path)
    inside = Entry(
        origin="a", configuration={"optimizer": "sgd", "learning_rate": 0.05, "momentum": 0.9, "loss": "cross_entropy"}
    )
    outside = Entry(origin="b", configuration={"optimizer": "adamw", "learning_rate": 0.05, "loss": "cross_entropy"})
    assert lies_in(space, inside)
    assert not lies_in(space, outside)
    assert within(space, outside.configuration)["learning_rate"] == 8e-3
    assert within(space, {"optimizer": "sgd", "learning_rate": 2e-3})["learning_rate"] == 1e-2


numbers = some.floats(-1e3, 1e3)


@given(some.data())
def test_every_value_of_a_range_is_at_its_position(data: some.DataObject) -> None:
    low = data.draw(some.integers(-50, 50))
    one = data.draw(
        some.one_of(
            some.builds(lambda width: Range(low=low, high=low + width, integer=True), some.integers(1, 90)),
            some.builds(
                lambda width, step: Range(low=low, high=low + width, step=step),
                some.floats(0.5, 90),
                some.floats(0.01, 0.5),
            ),
            some.builds(lambda width: Range(low=low, high=low + width), some.floats(0.1, 90)),
            some.builds(lambda factor: Range(low=0.01, high=0.01 * factor, log=True), some.floats(1.1, 1e6)),
        )
    )
    value = one.at(data.draw(some.floats(0, 1)))
    assert one.contains(value)
    assert one.at(min(max(one.position(value), 0.0), 1.0)) == pytest.approx(value, rel=1e-9, abs=1e-9)


@given(some.lists(some.floats(0, 100), min_size=1, max_size=8).filter(any), some.floats(0, 1))
def test_a_choice_has_a_value_at_every_place_and_none_of_no_weight(weights: list[float], place: float) -> None:
    one = Choice(choice=tuple(range(len(weights))), weights=tuple(weights))
    value = one.at(place)
    assert isinstance(value, int)
    assert weights[value] > 0


@given(some.lists(some.sets(some.sampled_from("abcd"), min_size=1), min_size=1, max_size=4))
def test_ranges_are_taken_exactly_if_their_conditions_part_the_values(parts: list[set[str]]) -> None:
    ranges: list[dict[str, Any]] = [{"low": 0.0, "high": 1.0, "when": {"kind": sorted(part)}} for part in parts]
    parameter = ConditionalRanges.model_validate(ranges)
    covered = Counter(value for part in parts for value in part)
    try:
        parameter.check_conditions({"kind": list("abcd")})
    except ValueError:
        assert any(covered[value] != 1 for value in "abcd")
    else:
        assert all(covered[value] == 1 for value in "abcd")


def shipped(name: str, *overrides: str, profile: str | None = None) -> SearchSpace:
    return load_space(name, knobs=TrainConfig, profile=profile, overrides=overrides)


def test_a_constant_that_is_searched_stays_what_the_recipe_takes() -> None:
    assert shipped("classify", "horizontal_flip={low: 0.0, high: 0.3}").recipe()["horizontal_flip"] == 0.0
    assert "batch_size" in shipped("mask", "parameters.batch_size.choice=[8, 64]").sized_by_data
    stated = shipped("age", "backbone.choice=[efficientnet_b4]", "backbone.default=efficientnet_b4", profile="gpu")
    assert stated.recipe()["backbone"] == "efficientnet_b4"
    with pytest.raises(
        SpaceError, match=r"--set: backbone: leaves out 'efficientnet_b3', which the recipe has; --set param"
    ):
        shipped("age", "backbone.choice=[efficientnet_b4, efficientnet_b5]", profile="gpu")


def test_what_a_file_fixes_goes_where_a_setting_leaves_it_nothing_to_do() -> None:
    assert "horizontal_flip" not in shipped("classify", "augmentation=none").constants
    with pytest.raises(SpaceError, match=r"constants\.horizontal_flip: does nothing here"):
        shipped("classify", "augmentation=none", "horizontal_flip=0.3")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("constants=3",), "constants: must be a mapping (got 3)"),
        (("constants=[image_size]", "image_size.low=3"), "constants: must be a mapping"),
        (("parameters=[1]", "drop_rate=0.4"), "parameters: must be a mapping"),
        (
            ("optimizer=radam",),
            "no range holds where optimizer is radam; such as --set learning_rate.0.when.optimizer=[adamw",
        ),
        (("cutmix_probability.choice.0.4=2",), "cutmix_probability has no value 0.4 in mask.yaml"),
        (("batch_size={choice: {16: 2, '16': 1}}",), "parameters.batch_size.choice: lists a value twice; drop one"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_one_line(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(SpaceError) as raised:
        shipped("mask", *overrides)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_weight_of_one_value_can_be_set_also_of_numbers_and_truths() -> None:
    space = shipped("mask", "cutmix_probability.choice.0.3=2", "test_flip.choice.true=3", "loss.choice.focal=1e-1")
    weights = {name: space.parameters[name] for name in ("cutmix_probability", "test_flip", "loss")}
    assert weights["cutmix_probability"].weights == (3.0, 2.0, 1.0)  # type: ignore[union-attr]
    assert weights["test_flip"].weights == (1.0, 3.0)  # type: ignore[union-attr]
    assert weights["loss"].weights == (3.0, 0.1)  # type: ignore[union-attr]


def test_an_optimizer_that_is_set_works_with_the_range_that_the_refusal_names() -> None:
    wider = ("learning_rate.0.when.optimizer=[adamw, radam]", "weight_decay.0.when.optimizer=[adamw, radam]")
    assert shipped("mask", "optimizer=radam", *wider).recipe()["optimizer"] == "radam"


def test_a_stated_default_of_another_range_counts(tmp_path: Path) -> None:
    text = TEXT.replace("low: 1e-2, high: 3e-1, log: true", "low: 1e-3, high: 3e-1, log: true, default: 5e-2")
    assert load(tmp_path, text).complete({"optimizer": "sgd"})["learning_rate"] == 5e-2
    assert load(tmp_path, text).recipe()["learning_rate"] == 2e-3


def test_whole_numbers_on_a_logarithmic_scale_are_at_their_positions_too() -> None:
    whole = Range(low=1, high=100, integer=True, log=True)
    assert [whole.at(whole.position(value)) for value in range(1, 101)] == list(range(1, 101))


def test_a_list_of_ranges_of_an_option_is_addressed_by_its_name(tmp_path: Path) -> None:
    first, second = "when: {optimizer: [adamw, lamb]}", "when: {optimizer: sgd}"
    ranges = f"[{{low: 1e-9, high: 1e-7, log: true, {first}}}, {{low: 0.0, high: 1.0, {second}}}]"
    text = TEXT.replace("  loss: {choice", f"  optimizer_options.eps: {ranges}\n  loss: {{choice", 1)
    space = load(tmp_path, text, overrides=("optimizer_options.eps.0.high=1e-6",))
    assert space.parameters["optimizer_options.eps"].extremes[1] == 1e-6
