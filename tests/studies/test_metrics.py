"""Every metric is scikit-learn's, says which way is better, and does what it says where a class is absent."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from schedulers.budget_settings import make_budget
from search_spaces import SpaceError
from studies.metrics import METRICS, confusion_matrix, confusion_of, confusions_of
from tests.toys.search import ToyDriver, peak, toy_space


@st.composite
def predictions(draw: st.DrawFn, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Draw targets and probabilities, coarse enough for ties."""
    images = draw(st.integers(2, 30))
    targets = np.array(draw(st.lists(st.integers(0, classes - 1), min_size=images, max_size=images)))
    row = st.lists(st.integers(1, 5), min_size=classes, max_size=classes)
    raw = np.array(draw(st.lists(row, min_size=images, max_size=images)), np.float64)
    return targets, (raw / raw.sum(axis=1, keepdims=True)).astype(np.float32)


def theirs(name: str, targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Return what scikit-learn says."""
    predicted, labels = probabilities.argmax(axis=1), list(range(probabilities.shape[1]))
    exact = probabilities.astype(float) / probabilities.astype(float).sum(axis=1, keepdims=True)
    positive = probabilities[:, 1] if len(labels) == 2 else probabilities
    shared: dict[str, Any] = {"labels": labels, "average": "macro"}
    judged = {
        "macro_f1": lambda: sklearn_metrics.f1_score(targets, predicted, zero_division=0, **shared),
        "accuracy": lambda: sklearn_metrics.accuracy_score(targets, predicted),
        "balanced_accuracy": lambda: sklearn_metrics.balanced_accuracy_score(targets, predicted),
        "roc_auc": lambda: sklearn_metrics.roc_auc_score(
            targets, positive, **({} if len(labels) == 2 else {"multi_class": "ovr", **shared})
        ),
        "log_loss": lambda: sklearn_metrics.log_loss(targets, exact, labels=labels),
    }
    return float(judged[name]())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", METRICS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_metric_is_scikit_learns(name: str, classes: int, data: st.DataObject) -> None:
    targets, probabilities = data.draw(predictions(classes))
    assume(name != "roc_auc" or len(set(targets)) == classes)
    ours = METRICS[name].measure(targets, probabilities)
    assert ours == pytest.approx(theirs(name, targets, probabilities), abs=1e-5)
    assert METRICS[name].range[0] <= ours <= METRICS[name].range[1]


@given(predictions(4))
def test_the_confusion_matrix_is_scikit_learns(drawn: tuple[np.ndarray, np.ndarray]) -> None:
    targets, probabilities = drawn
    expected = sklearn_metrics.confusion_matrix(targets, probabilities.argmax(axis=1), labels=range(4))
    assert confusion_matrix(targets, probabilities).tolist() == expected.tolist()


@given(predictions(4), st.integers(1, 5))
def test_the_confusion_matrices_of_several_votes_are_those_of_each(
    drawn: tuple[np.ndarray, np.ndarray], votes: int
) -> None:
    targets, probabilities = drawn
    voted = np.stack([np.roll(probabilities.argmax(axis=1), place) for place in range(votes)])
    each = [confusion_of(targets, vote, 4).tolist() for vote in voted]
    assert confusions_of(targets, voted, 4).tolist() == each


@pytest.mark.parametrize("name", METRICS)
def test_a_better_prediction_has_the_higher_score_and_is_shown_by_its_value(name: str) -> None:
    targets, metric = np.array([0, 1, 2, 0, 1, 2]), METRICS[name]
    good = np.full((6, 3), 0.05, np.float32) + 0.85 * np.eye(3, dtype=np.float32)[targets]
    bad = np.roll(good, 1, axis=1)
    assert metric.score(targets, good) > metric.score(targets, bad)
    assert metric.shown(metric.score(targets, good)) == metric.measure(targets, good)


def test_a_class_absent_from_the_folds_seen_so_far_does_what_the_metric_says() -> None:
    targets, votes = np.array([0, 0, 1, 1]), np.eye(3, dtype=np.float32)[[0, 1, 1, 1]] * 0.7 + 0.1
    values = {name: metric.measure(targets, votes) for name, metric in METRICS.items()}
    assert values["macro_f1"] == pytest.approx((2 / 3 + 0.8 + 0) / 3), "counts as 0"
    assert values["accuracy"] == values["balanced_accuracy"] == 0.75
    assert values["roc_auc"] == 0.75
    assert METRICS["roc_auc"].measure(np.zeros(4, int), votes) == 0.5, "a single class has no curve"


@pytest.mark.parametrize(("metric", "target"), [("macro_f1", 80), ("accuracy", -0.1), ("log_loss", -1)])
def test_a_target_outside_the_metrics_range_is_refused(metric: str, target: float) -> None:
    space = toy_space(target_score=target).model_copy(update={"metric": metric})
    with pytest.raises(SpaceError, match=rf"search\.target_score: a .* lies between 0 and .* \(got {target:g}\)"):
        make_budget(space)


def test_a_log_loss_below_the_target_ends_the_search_and_one_above_does_not(tmp_path: Path) -> None:
    def loss(configuration: Any, fold_epochs: int) -> float:
        return -(1.2 - peak(configuration, fold_epochs))  # as a climb reports it: more is better

    for target, trials in ((0.01, 12), (0.6, 1)):
        space = toy_space(target_score=target).model_copy(update={"metric": "log_loss"})
        driver = ToyDriver(tmp_path / f"{target}.jsonl", space, score=loss).start().finish()
        assert len(driver.run.state.trials) == trials
    assert driver.run.finished == "trial 0 reached a log loss of 0.418 over all folds, the target is 0.6"
