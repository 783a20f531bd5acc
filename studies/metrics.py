"""The metrics that a space can name, in NumPy: what predicts must not need scikit-learn.

All are taken of pooled predictions, never averaged over batches or folds. Everything that compares asks for a `score`, of
which more is always better: a metric that is minimised is negated there, as scikit-learn's `neg_log_loss` is, and
`shown` turns a score back into what people read.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

import plugins
from plugins.registry import Registry

Probabilities = npt.NDArray[np.float32]  # images x classes, rows sum to 1
Targets = npt.NDArray[np.int64]
Confusion = npt.NDArray[np.int64]  # true classes x voted classes
Measure = Callable[[Targets, Probabilities], float]


@dataclass(frozen=True)
class Metric:
    """One way to judge predictions."""

    name: str
    title: str
    measure: Measure
    range: tuple[float, float]
    absent: str  # what becomes of a class of which the folds seen so far hold no image
    maximised: bool = True
    of_classes: Callable[[Confusion], float] | None = None  # of a confusion matrix, where classes alone count

    def score(self, targets: Targets, probabilities: Probabilities) -> float:
        """Return what is compared: more is better."""
        return self.signed(self.measure(targets, probabilities))

    def signed(self, value: float) -> float:
        """Return the score of a value that people read."""
        return value if self.maximised else -value

    def shown(self, score: float) -> float:
        """Return the value that people read of a score."""
        return self.signed(score)

    def spelled(self, score: float) -> str:
        """Return the value that people read in three digits."""
        return f"{self.shown(score):.3f}"


def macro_f1_of(confusion: Confusion) -> float:
    """Return the mean F1 of all classes."""
    either = confusion.sum(axis=0) + confusion.sum(axis=1)
    right = 2 * confusion.diagonal()
    return float((right / np.maximum(either, 1)).sum() / len(confusion))


def accuracy_of(confusion: Confusion) -> float:
    """Return the share of images whose most probable class is theirs."""
    return float(confusion.trace() / confusion.sum())


def balanced_accuracy_of(confusion: Confusion) -> float:
    """Return the mean recall of the classes that occur."""
    there = confusion.sum(axis=1)
    return float((confusion.diagonal()[there > 0] / there[there > 0]).mean())


def macro_f1(targets: Targets, probabilities: Probabilities) -> float:
    """Return the mean F1 of all classes."""
    return macro_f1_of(confusion_matrix(targets, probabilities))


def accuracy(targets: Targets, probabilities: Probabilities) -> float:
    """Return the share of images whose most probable class is theirs."""
    return accuracy_of(confusion_matrix(targets, probabilities))


def balanced_accuracy(targets: Targets, probabilities: Probabilities) -> float:
    """Return the mean recall of the classes that occur."""
    return balanced_accuracy_of(confusion_matrix(targets, probabilities))


def roc_auc(targets: Targets, probabilities: Probabilities) -> float:
    """Return the mean area under the one-vs-rest ROC curves, by the ranks of the probabilities (Mann and Whitney).

    Only classes count of which there are images and of which not all images are; one half where there is none.
    """
    members = targets[:, None] == np.arange(probabilities.shape[1])
    inside, outside = members.sum(axis=0), (~members).sum(axis=0)
    areas = [
        (_mean_ranks(probabilities[:, one])[members[:, one]].sum() - inside[one] * (inside[one] + 1) / 2)
        / (inside[one] * outside[one])
        for one in np.flatnonzero((inside > 0) & (outside > 0))
    ]
    return float(np.mean(areas)) if areas else 0.5


def log_loss(targets: Targets, probabilities: Probabilities) -> float:
    """Return the mean negative logarithm of the true class's probability, clipped as in scikit-learn."""
    smallest = np.finfo(probabilities.dtype).eps
    own = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.clip(own, smallest, 1 - smallest).astype(float)).mean())


def confusion_matrix(targets: Targets, probabilities: Probabilities) -> Confusion:
    """Return counts by true class (rows) and most probable class (columns)."""
    return confusion_of(targets, probabilities.argmax(axis=1), probabilities.shape[1])


def confusion_of(targets: Targets, voted: Targets, classes: int) -> Confusion:
    """Return counts by true class (rows) and voted class (columns)."""
    counts: Confusion = np.bincount(targets * classes + voted, minlength=classes**2).reshape(classes, classes)
    return counts


def confusions_of(targets: Targets, voted: Targets, classes: int) -> Confusion:
    """Return a confusion matrix for each of several votes on the same images."""
    several = np.arange(len(voted))[:, None] * classes**2 + targets * classes + voted
    counts: Confusion = np.bincount(several.ravel(), minlength=len(voted) * classes**2).reshape(-1, classes, classes)
    return counts


def _mean_ranks(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return ranks from 1 on; equal values share their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum()
    ranks: npt.NDArray[np.float64] = (last - (counts - 1) / 2)[place]
    return ranks


METRICS: Registry[Metric] = plugins.METRICS
for _metric in (
    Metric("macro_f1", "macro F1", macro_f1, (0, 1), "counts as 0, for every trial alike", of_classes=macro_f1_of),
    Metric("accuracy", "accuracy", accuracy, (0, 1), "has no part", of_classes=accuracy_of),
    Metric(
        "balanced_accuracy",
        "balanced accuracy",
        balanced_accuracy,
        (0, 1),
        "has no part",
        of_classes=balanced_accuracy_of,
    ),
    Metric("roc_auc", "ROC AUC (one-vs-rest)", roc_auc, (0, 1), "has no part"),
    Metric("log_loss", "log loss", log_loss, (0, float("inf")), "has no part", maximised=False),
):
    METRICS.add(_metric.name, _metric)
