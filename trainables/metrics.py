"""The objective and what stands beside it."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

Probabilities = npt.NDArray[np.float32]  # images x classes
Targets = npt.NDArray[np.int64]


def macro_f1(targets: Targets, probabilities: Probabilities) -> float:
    """Return the macro F1 over all classes, of all images at once (never averaged over batches or folds)."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    return float(f1_score(targets, predicted, labels=range(classes), average="macro", zero_division=0))


def report(targets: Targets, predicted: Targets, classes: int) -> dict[str, Any]:
    """Return macro F1, accuracy and the confusion matrix (rows: true class)."""
    labels = list(range(classes))
    return {
        "macro_f1": float(f1_score(targets, predicted, labels=labels, average="macro", zero_division=0)),
        "accuracy": float(accuracy_score(targets, predicted)),
        "confusion": confusion_matrix(targets, predicted, labels=labels).tolist(),
    }
