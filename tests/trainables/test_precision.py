"""Precision and digits: what a study began with stays, a device that lacks it is told, and finished folds are exact."""

from pathlib import Path

import numpy as np
import pytest
import torch

from storage.tensors import load_state, save_state
from tests.toys.search import ToyDriver, toy_space
from tests.toys.training import TINY
from trainables.config import TrainConfig
from trainables.training.devices import Resources, lacks_precision, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import FoldData, load_fold_data


@pytest.fixture
def data(study: Path) -> FoldData:
    return load_fold_data(study)


def learner(data: FoldData, *, begun: str | None = None, **knobs: object) -> FoldLearner:
    config = TrainConfig(**{**TINY, **knobs})
    return FoldLearner(config, data, 0, 0, place(config, Resources(), begun))


def test_auto_is_what_the_device_is_best_with_until_a_study_has_begun(tiny: TrainConfig) -> None:
    assert place(tiny, Resources()).dtype is None
    assert place(tiny, Resources(), "bfloat16").dtype is torch.bfloat16
    named = tiny.model_copy(update={"precision": "float32"})
    assert place(named, Resources(), "bfloat16").precision == "float32"


def test_a_device_without_the_precision_of_a_study_is_told() -> None:
    assert "go on with it on a GPU of compute capability 8.0" in str(lacks_precision("bfloat16", "gpu"))
    for precision, kind in (("bfloat16", "gpu with bfloat16"), ("bfloat16", "cpu"), ("float16", "gpu")):
        assert lacks_precision(precision, kind) is None


def test_a_state_that_was_left_without_a_loss_scale_goes_on_with_one(data: FoldData, tmp_path: Path) -> None:
    """It was the end of every resting trial: the empty state of a scaler cannot be loaded into another."""
    first = learner(data, begun="bfloat16", epochs=2)
    first.train_epoch(0)
    save_state(first.state(), tmp_path / "state")
    second = learner(data, begun="float16", epochs=2)
    second.load_state(load_state(tmp_path / "state"))
    assert np.isfinite(second.train_epoch(1).loss)
    save_state(second.state(), tmp_path / "scaled")
    back = learner(data, begun="float32", epochs=2)
    back.load_state(load_state(tmp_path / "scaled"))
    assert np.isfinite(back.train_epoch(1).loss)


@pytest.mark.parametrize("fast", [False, True])
def test_inner_epochs_may_be_validated_in_the_training_precision_and_the_last_never_is(
    fast: bool, data: FoldData
) -> None:
    precision = "training" if fast else "float32"
    trained = learner(data, precision="bfloat16", validation_precision=precision, epochs=2)
    trained.train_epoch(0)
    inner, last = (trained.judge_epoch(lambda judged: 0.0, last=last).probabilities for last in (False, True))
    assert np.array_equal(last, trained.judge_validation().probabilities)
    assert np.array_equal(inner, last) != fast
    assert np.allclose(inner, last, atol=0.05)


def test_deterministic_algorithms_are_those_of_a_configuration_and_not_of_the_next(tiny: TrainConfig) -> None:
    place(tiny.model_copy(update={"deterministic": True}), Resources(cudnn_benchmark=True))
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.benchmark, "it takes whichever was fastest"
    place(tiny, Resources(cudnn_benchmark=True))
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.backends.cudnn.benchmark
    place(tiny, Resources())
    assert not torch.backends.cudnn.benchmark


def test_every_climb_after_the_first_epoch_is_given_the_precision_of_that(tmp_path: Path) -> None:
    run = ToyDriver(tmp_path / "record", toy_space()).start().run
    first, second = run.next_climb(), run.next_climb()
    assert first is not None
    assert second is not None
    assert (first.precision, second.precision) == (None, None)
    for order, precision in ((first, "bfloat16"), (second, "float32")):
        scored = {"fold": order.fold, "epoch": 0, "epochs": 1, "score": 0.5, "seconds": 1.0, "precision": precision}
        run.take_epoch(order, scored)
    assert run.state.precision == "bfloat16"
    run.end_climb(first)
    third = run.next_climb()
    assert third is not None
    assert third.precision == "bfloat16"


def test_a_trial_that_asks_for_a_precision_says_nothing_of_auto(tmp_path: Path) -> None:
    space = toy_space()
    space = space.model_copy(update={"constants": {**space.constants, "precision": "float32"}})
    run = ToyDriver(tmp_path / "record", space).start().run
    order = run.next_climb()
    assert order is not None
    scored = {"fold": 0, "epoch": 0, "epochs": 1, "score": 0.5, "seconds": 1.0, "precision": "float32"}
    run.take_epoch(order, scored)
    assert run.state.precision is None
