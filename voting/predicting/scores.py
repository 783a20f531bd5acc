"""Scores of labelled images, in words: metric, accuracy and the confusion matrix of every task."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from command_line.plain_text import print_line
from studies.metrics import METRICS, Targets, confusion_matrix
from voting.bundle.specs import BundleManifest
from voting.rules.joint import JOINT_TASKS, joint_class, joint_votes
from voting.rules.vote import Votes


def print_scores(manifest: BundleManifest, labels: Mapping[str, Targets], votes: Mapping[str, Votes]) -> None:
    """Print metric, accuracy and the confusion matrix of every labelled task, and of all 18 classes."""
    for task in manifest.tasks:
        if task.task in labels:
            named = dict.fromkeys([task.metric, "macro_f1", "accuracy"])
            print_score(task.task, labels[task.task], votes[task.task], task.classes, named)
    if all(task in labels for task in JOINT_TASKS):
        names = [str(number) for number in range(18)]
        print_score("mask x gender x age", joint_class(labels), joint_votes(votes), names, ["macro_f1", "accuracy"])


def print_score(
    title: str, targets: Targets, votes: npt.NDArray[np.floating], classes: Sequence[str], metrics: Iterable[str]
) -> None:
    """Print one task's scores; rows of the confusion matrix are true classes."""
    probabilities = votes.astype(np.float32)
    judged = [METRICS[name] for name in metrics]
    scores = ", ".join(f"{metric.title} {metric.measure(targets, probabilities):.4f}" for metric in judged)
    print_line(f"\n{title}: {scores} on {len(targets)} labelled images")
    width = max(6, *(len(name) for name in classes)) + 1
    print_line(f"{'true / voted':>{width + 6}}" + "".join(f"{name:>{width}}" for name in classes))
    for name, row in zip(classes, confusion_matrix(targets, probabilities), strict=True):
        print_line(f"{name:>{width + 6}}" + "".join(f"{count:>{width}}" for count in row))
