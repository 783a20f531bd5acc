"""An optimizer's own arguments: stated, searched, one of several numbers, and refused where it has none such."""

from pathlib import Path
from typing import Any

import pytest
import torch
from timm.optim import get_optimizer_info, list_optimizers

from launch.fit.corners import corners
from search_spaces import SearchSpace, SpaceError, load_space
from tests.toys.training import TINY
from trainables.config import TrainConfig, configured, train_config
from trainables.knobs.knob import about
from trainables.training.optimization.optimizers import OptimizerError, check_optimizer, make_optimizer

SPACE = """
task: mask
data: {source: sample_faces}
parameters:
  optimizer: {choice: [adamw, sgd]}
  optimizer_options.nesterov: {choice: [true, false], default: true, when: {optimizer: sgd}}
  optimizer_options.betas.1: {low: 0.9, high: 0.999, when: {optimizer: adamw}}
  optimizer_options.eps: {low: 1e-9, high: 1e-3, log: true, when: {optimizer: adamw}}
constants: {epochs: 2, image_size: 32, weights: none}
search: {trials: 4, folds: 2, finalists: 1}
"""


def load(folder: Path, text: str = SPACE, *overrides: str) -> SearchSpace:
    (folder / "space.yaml").write_text(text)
    return load_space(str(folder / "space.yaml"), knobs=train_config(), overrides=overrides)


def optimizer_of(**knobs: Any) -> torch.optim.Optimizer:
    return make_optimizer(torch.nn.Linear(2, 2), configured({**TINY, **knobs}))


def test_options_reach_the_optimizer_also_as_text_and_one_by_one() -> None:
    optimizer = optimizer_of(optimizer_options={"betas": [0.8, 0.9], "eps": "1e-5"})
    assert tuple(optimizer.defaults["betas"]) == (0.8, 0.9)
    assert optimizer.defaults["eps"] == 1e-5
    one = optimizer_of(**{"optimizer_options.betas.1": 0.95, "optimizer_options.eps": 1e-4})
    assert (tuple(one.defaults["betas"]), one.defaults["eps"]) == ((0.9, 0.95), 1e-4)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"nesterov": True}, r"optimizer_options\.nesterov: adamw has no such option; it has lr, betas, eps"),
        ({"betas.2": 0.9}, r"optimizer_options\.betas\.2: there is no number 2 in \(0\.9, 0\.999\); count from 0"),
        ({"eps.0": 0.9}, r"optimizer_options\.eps\.0: there is no number 0 in"),
        (
            {"eps": "small"},
            r"adamw with optimizer_options \{'eps': 'small'\} cannot be used here: .*; take another value",
        ),
        ({"eps": -1.0}, "cannot be used here: ValueError: Invalid epsilon value"),
        ({"betas": [2, 3]}, "cannot be used here: ValueError: Invalid beta"),
    ],
)
def test_an_option_that_an_optimizer_does_not_take_is_refused_before_the_search(
    options: dict[str, Any], complaint: str
) -> None:
    check_optimizer(TrainConfig(optimizer_options={"eps": 1e-7}))
    with pytest.raises(OptimizerError, match=complaint):
        check_optimizer(TrainConfig(optimizer_options=options))


@pytest.mark.parametrize(
    ("option", "complaint"), [("lr", "it is the knob learning_rate"), ("fused", "is set by the trainer; leave it out")]
)
def test_what_a_knob_or_the_trainer_sets_is_no_option(option: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=rf"constants\.optimizer_options: .*{complaint}"):
        load(tmp_path, SPACE.replace("epochs: 2", f"optimizer_options: {{{option}: 1}}, epochs: 2"))


def test_an_option_counts_only_under_its_condition(tmp_path: Path) -> None:
    space = load(tmp_path)
    assert configured(space.recipe()).optimizer_options == {}, (
        "the recipe is adamw, whose options are at its own defaults"
    )
    assert configured(space.complete({"optimizer": "sgd"})).optimizer_options == {"nesterov": True}
    assert optimizer_of(**space.complete({"optimizer": "sgd"})).defaults["nesterov"] is True
    conditional = SPACE.replace("when: {optimizer: adamw}}\nc", "when: {optimizer_options.nesterov: true}}\nc")
    assert load(tmp_path, conditional).parameters["optimizer_options.eps"].when == {
        "optimizer_options.nesterov": [True]
    }


def test_set_takes_an_option_by_its_name(tmp_path: Path) -> None:
    fixed = load(tmp_path, SPACE, "optimizer_options.eps=1e-6")
    assert configured(fixed.recipe()).optimizer_options == {"eps": 1e-6}
    assert "optimizer_options.eps" not in fixed.parameters
    moved = load(tmp_path, SPACE, "optimizer_options.betas.1.low=0.8")
    assert moved.parameters["optimizer_options.betas.1"].low == 0.8  # type: ignore[union-attr]
    added = load(tmp_path, SPACE, "optimizer_options.weight_lr_power={low: 1.0, high: 2.0}")
    assert "optimizer_options.weight_lr_power" in added.parameters


def test_a_preflight_tries_every_optimizer_at_both_ends_of_its_options(tmp_path: Path) -> None:
    tried = [configured(one) for one in corners(load(tmp_path))]
    assert tried[0] == configured(load(tmp_path).recipe())
    options = [(one.optimizer, one.optimizer_options) for one in tried]
    for wanted in (
        *(("sgd", {"nesterov": value}) for value in (True, False)),
        *(("adamw", {"betas.1": value}) for value in (0.9, 0.999)),
        *(("adamw", {"eps": value}) for value in (1e-9, 1e-3)),
    ):
        assert wanted in options
    assert all("nesterov" not in given for name, given in options if name == "adamw")


def test_a_preflight_tries_every_backbone_with_every_weights_and_both_ends_of_what_shapes_it(tmp_path: Path) -> None:
    text = SPACE.replace(
        "  optimizer: {choice", "  drop_path_rate: {low: 0.0, high: 0.3}\n  optimizer: {choice"
    ).replace("weights: none}", "weights: none}")
    text = text.replace("parameters:\n", "parameters:\n  backbone: {choice: [test_vit, test_resnet]}\n")
    text = text.replace(
        "parameters:\n", "parameters:\n  batch_size: {choice: [8, 64]}\n  precision: {choice: [auto, float32]}\n"
    )
    configurations = list(map(configured, corners(load(tmp_path, text))))
    assert {64, 8} <= {one.batch_size for one in configurations}, "what costs memory and time"
    assert {one.precision for one in configurations} == {"auto", "float32"}
    tried = {(one.backbone, one.drop_path_rate) for one in configurations}
    assert {(name, rate) for name in ("test_vit", "test_resnet") for rate in (0.0, 0.3)} <= tried


def test_the_optimizers_with_a_momentum_are_those_that_timm_names() -> None:
    ours = about(TrainConfig.model_fields["momentum"])["when"]["optimizer"]
    assert set(ours) == {name for name in list_optimizers() if get_optimizer_info(name).has_momentum}
    assert "momentum" not in TrainConfig(optimizer="lion", momentum=0.5).effective()
    assert "momentum" in TrainConfig(optimizer="rmsprop", momentum=0.5).effective()
