"""Heads: what they learn from, what they say, and what they say it by, compared with hand and torch."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy, huber_loss, kl_div, l1_loss

from datasets.numbers import Number
from datasets.preparation import PreparedData
from studies.metrics import METRICS
from tests.toys.training import TINY, write_study
from trainables.config import TrainConfig
from trainables.training.classifier import Classifier, Normalisation
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.heads.class_shares import class_shares
from trainables.training.heads.head import Head, Targets, make_head
from trainables.training.heads.task import Task
from trainables.training.heads.thresholds import cross_fitted, tuned
from trainables.training.heads.tuning import probabilities_under, score_of_thresholds
from trainables.training.images.fold_data import load_fold_data

AGES = Number.of(np.r_[np.arange(18.0, 60.0), [60.0] * 10], (30.0, 60.0))
mixed_numbers = st.lists(st.tuples(st.floats(18, 60), st.floats(18, 60), st.floats(0, 1)), min_size=2, max_size=5)


def config(**knobs: Any) -> TrainConfig:
    return TrainConfig(**{**TINY, "augmentation": "none", **knobs})


def head_of(name: str, number: Number = AGES, **knobs: Any) -> Head:
    return make_head(Task(3, number), config(head=name, **knobs))


def targets_of(rows: list[tuple[float, float, float]]) -> Targets:
    """Return targets of images each of which shows two others, the second by its share."""
    numbers = torch.tensor([row[:2] for row in rows])
    shares = torch.tensor([(1 - row[2], row[2]) for row in rows])
    classes = torch.bucketize(numbers, torch.tensor(AGES.borders), right=True)
    return Targets((torch.eye(3)[classes] * shares.unsqueeze(2)).sum(dim=1), numbers, shares)


@pytest.mark.parametrize("name", ["classification", "ordinal", "regression", "label_distribution"])
@given(mixed_numbers)
@settings(max_examples=15, deadline=None)
def test_a_head_takes_any_mixed_target_and_its_gradient_is_that_of_differences(
    name: str, rows: list[tuple[float, float, float]]
) -> None:
    head, targets = head_of(name), targets_of(rows)
    outputs = torch.sin(torch.arange(len(rows) * head.outputs)).reshape(len(rows), head.outputs).float()
    outputs.requires_grad_()
    loss = head.loss(outputs, targets)
    assert bool((loss >= -1e-6).all())
    gradient = torch.autograd.grad(loss.sum(), outputs)[0]
    moved, step = torch.zeros_like(outputs), 1e-2
    moved[-1, -1] = step
    with torch.no_grad():
        ahead, behind = (float(head.loss(outputs + way * moved, targets).double().sum()) for way in (1, -1))
    assert float(gradient[-1, -1]) == pytest.approx((ahead - behind) / (2 * step), abs=0.02)


def test_the_loss_of_a_regression_is_torchs_of_the_scaled_number() -> None:
    years, outputs = torch.tensor([[20.0], [50.0], [60.0]]), torch.tensor([[0.1], [3.0], [-0.4]])
    scaled, targets = AGES.scaled(years), Targets(torch.eye(3), years, torch.ones(3, 1))
    for name, theirs in (("l1", l1_loss), ("huber", huber_loss)):
        ours = head_of("regression", regression_loss=name).loss(outputs, targets)
        assert torch.allclose(ours, theirs(outputs, scaled, reduction="none")[:, 0])
    squared = head_of("regression", regression_loss="l2").loss(outputs, targets)
    assert torch.allclose(squared, (outputs - scaled)[:, 0] ** 2)


def test_the_loss_of_a_label_distribution_is_torchs_divergence_plus_the_error_of_the_expected_number() -> None:
    years = torch.tensor([[25.0], [60.0]])
    head = head_of("label_distribution", distribution_bins=20, distribution_sigma=0.3)
    outputs = torch.randn(2, 20, generator=torch.Generator().manual_seed(0))
    steps = torch.linspace(AGES.low, AGES.high, 20)
    wanted = (-(((years - steps) / (0.3 * AGES.std)) ** 2) / 2).softmax(dim=1)
    divergence = kl_div(outputs.log_softmax(dim=1), wanted, reduction="none").sum(dim=1)
    expected = outputs.softmax(dim=1) @ steps
    by_hand = divergence + (expected - years[:, 0]).abs() / AGES.std
    ours = head.loss(outputs, Targets(torch.eye(3)[[0, 2]], years, torch.ones(2, 1)))
    assert torch.allclose(ours, by_hand, atol=1e-5)


def test_the_loss_of_an_ordinal_head_is_the_cross_entropy_of_conditional_probabilities() -> None:
    outputs = torch.tensor([[0.5, -1.0], [2.0, 0.3]])
    first, second = outputs.sigmoid().unbind(dim=1)
    classes = torch.stack([1 - first, first * (1 - second), first * second], dim=1)
    head = head_of("ordinal", label_smoothing=0.0)
    assert torch.allclose(head.probabilities(outputs), classes, atol=1e-6)
    targets = torch.eye(3)[[1, 2]]
    assert torch.allclose(head.loss(outputs, Targets(targets)), cross_entropy(classes.log(), targets, reduction="none"))


def test_a_wider_error_makes_the_classes_of_a_number_less_certain() -> None:
    def largest(head: str, outputs: torch.Tensor, **knobs: Any) -> float:
        return float(head_of(head, **knobs).probabilities(outputs).max())

    near_a_border = AGES.scaled(torch.tensor([[31.0]]))
    for thresholds in ("bayes", "borders"):
        narrow, wide = (
            largest("regression", near_a_border, regression_sigma=sigma, thresholds=thresholds) for sigma in (0.05, 1.0)
        )
        assert narrow > wide
    certain = torch.eye(40)[[11]] * 50
    assert largest("label_distribution", certain, distribution_sigma=0.05) > largest(
        "label_distribution", certain, distribution_sigma=1.0
    )
    assert head_of("label_distribution", distribution_bins=12).outputs == 12


@pytest.mark.parametrize("head", ["regression", "label_distribution"])
def test_a_class_that_is_rare_can_be_predicted(head: str) -> None:
    number = Number.of(np.r_[np.linspace(20, 79, 996), [85.0, 86, 87, 88]], (50.0, 80.0))
    steps = torch.linspace(number.low, number.high, 40)
    given = torch.eye(40)[[int((steps - 86).abs().argmin())]] * 50 if head == "label_distribution" else None
    outputs = number.scaled(torch.tensor([[86.0]])) if given is None else given
    assert float(head_of(head, number).probabilities(outputs)[0, 2]) > 0.02
    assert sum(number.spread.shares) == pytest.approx(1)
    assert sum(
        share for value, share in zip(*dict(number.spread).values(), strict=True) if value >= 80
    ) == pytest.approx(0.004)


def test_what_a_model_knows_of_numbers_comes_from_the_folds_that_it_learns_from() -> None:
    numbers, folds = np.array([20.0, 25, 40, 45, 70, 75]), np.array([0, 0, 1, 1, 2, 2])
    number = Number.of(numbers, (30.0, 60.0), folds)
    for fold, seen in enumerate(([40, 45, 70, 75], [20, 25, 70, 75], [20, 25, 40, 45])):
        assert sorted(number.without(fold).spread.values) == seen
    assert (number.without(0).mean, number.without(0).std) == (number.mean, number.std), "units are those of all"
    assert Number.of(numbers, (30.0, 60.0)).without(1).spread == number.spread


def test_numbers_that_an_older_version_wrote_are_read() -> None:
    old = {"borders": [30.0], "mean": 40.0, "std": 9.0, "low": 20.0, "high": 60.0, "quantiles": [25.0, 35.0]}
    assert Number.model_validate(old).spread.shares == (0.5, 0.5)


def test_tuned_thresholds_are_applied_to_what_they_were_tuned_on_also_with_flips() -> None:
    class Side(torch.nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images[:, :1, 0, :1].reshape(-1, 1)

    knobs = {"thresholds": "tuned", "test_flip": True}
    number = AGES.model_copy(update={"borders": (35.0, 50.0)})
    classifier = Classifier(
        Side(), head_of("regression", number, **knobs), Normalisation.of((0.5,) * 3, (0.25,) * 3, torch.device("cpu"))
    )
    pixels = np.random.default_rng(0).integers(0, 255, (64, 8, 8, 3), dtype=np.uint8)
    judged = classifier.judge(pixels)
    assert judged.numbers is not None
    expected = probabilities_under(config(head="regression", **knobs), AGES, judged.numbers, (35.0, 50.0))
    assert np.allclose(judged.probabilities, expected, atol=1e-5)


@pytest.mark.parametrize("head", ["regression", "label_distribution", "ordinal"])
def test_a_head_of_a_number_trains_and_judges_on_drawn_ages(head: str, faces: PreparedData, tmp_path: Path) -> None:
    age = PreparedData(faces.table, faces.splits, faces.cache, "age", faces.rows, faces.decoded)
    write_study(tmp_path, age)
    data = load_fold_data(tmp_path)
    assert data.number is not None
    assert data.number.borders == (30.0, 60.0)
    made = config(head=head)
    learner = FoldLearner(made, data, 0, 0, place(made, Resources()))
    learner.train_epoch(0)
    judged = learner.judge_validation()
    assert judged.probabilities.shape == (len(data.validation(0)), 3)
    assert (judged.numbers is not None) == (head != "ordinal")


def test_tuned_thresholds_find_classes_that_borders_miss_and_are_read_off_other_persons() -> None:
    generator = np.random.default_rng(0)
    years = np.repeat(generator.choice([20.0, 45.0, 60.0], 60), 4)
    persons, targets = np.repeat(np.arange(60), 4), np.searchsorted([30, 60], years, side="right")
    shrunk = (40 + (years - 40) * 0.6 + generator.normal(0, 2, len(years))).astype(
        np.float32
    )  # nobody is predicted sixty

    number, knobs = Number.of(years, (30.0, 60.0)), config(head="regression", thresholds="tuned")

    def score(mask: np.ndarray) -> Any:
        return score_of_thresholds(knobs, number, shrunk[mask], targets[mask], METRICS["macro_f1"])

    everyone = np.ones(len(years), bool)
    assert score(everyone)((30.0, 60.0)) < 0.7
    best = tuned(shrunk, (30.0, 60.0), score(everyone))
    assert best == tuple(sorted(best))
    assert score(everyone)(best) > 0.9, "as it will vote"
    parts = cross_fitted(shrunk, persons, (30.0, 60.0), score)
    assert [set(persons[mask]) & set(persons[~mask]) for mask, _ in parts] == [set(), set()]
    assert np.all(parts[0][0] ^ parts[1][0])
    assert tuned(shrunk[:0], (30.0, 60.0), lambda borders: 0.0) == (30.0, 60.0)


def test_by_bayes_a_number_near_a_spike_belongs_to_the_class_of_the_spike() -> None:
    ages = [20.0] * 100 + [float(age) for age in np.linspace(30, 59, 100)] + [60.0] * 100
    number = Number.of(ages, (30.0, 60.0))
    heads = {
        name: make_head(Task(3, number), config(head="regression", thresholds=name)) for name in ("bayes", "borders")
    }
    predicted = number.scaled(torch.tensor([[21.0], [42.0], [57.0]]))
    votes = {name: head.probabilities(predicted).argmax(dim=1).tolist() for name, head in heads.items()}
    assert votes == {"bayes": [0, 1, 2], "borders": [0, 1, 1]}
    by_hand = class_shares(number, predicted[:, 0], 0.5)[2]
    values, shares = np.array(number.spread.values), np.array(number.spread.shares)
    near = shares * np.exp(-(((57 - values) / number.std / 0.5) ** 2) / 2)
    assert float(by_hand[2]) == pytest.approx(near[values >= 60].sum() / near.sum(), abs=1e-4)


def test_every_class_can_be_predicted_by_a_label_distribution_also_at_the_end_of_the_range() -> None:
    number = Number.of([20.0, 40.0, 60.0] * 30, (30.0, 60.0))
    head = make_head(Task(3, number), config(head="label_distribution"))
    certain = torch.eye(head.outputs)[[0, head.outputs // 2, head.outputs - 1]] * 50
    assert head.probabilities(certain).argmax(dim=1).tolist() == [0, 1, 2]
    assert head.number(certain).tolist() == pytest.approx([20, 40.5, 60], abs=1)  # type: ignore[union-attr]
