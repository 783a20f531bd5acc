"""The objective: macro F1 of pooled predictions."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import f1_score

Probabilities = npt.NDArray[np.float32]  # images x classes
Targets = npt.NDArray[np.int64]


def macro_f1(targets: Targets, probabilities: Probabilities) -> float:
    """Return the macro F1 over all classes, of all images at once (never averaged over batches or folds)."""
    classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    return float(f1_score(targets, predicted, labels=range(classes), average="macro", zero_division=0))
