"""What a vote is chosen for: the task's metric, or the joint classes that it is a part of."""

from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from studies.metrics import Metric, Targets, confusion_of, confusions_of, macro_f1_of
from voting.rules.joint import JOINT_CLASSES

Rows = npt.NDArray[np.int64]
Votes = npt.NDArray[np.floating]  # images x classes
Several = npt.NDArray[np.floating]  # votes x images x classes
Scores = npt.NDArray[np.float64]


class Objective(Protocol):
    """Scores votes on the images it was made for; more is better."""

    @property
    def of_classes(self) -> bool:
        """Tell whether only the most probable class counts."""

    @property
    def weighs_classes(self) -> bool:
        """Tell whether class weights may decide: not where probabilities are judged anywhere."""

    def score(self, votes: Votes) -> float:
        """Return the score of votes on all images."""

    def scores(self, several: Several) -> Scores:
        """Return the score of each of several votes, as `score` does."""

    def take(self, rows: Rows) -> "Objective":
        """Return the same for some of the images."""


@dataclass(frozen=True, eq=False)
class OwnMetric:
    """The task's own metric."""

    metric: Metric
    targets: Targets

    @property
    def of_classes(self) -> bool:
        return self.metric.of_classes is not None

    @property
    def weighs_classes(self) -> bool:
        return self.of_classes

    def score(self, votes: Votes) -> float:
        if self.metric.of_classes is None:
            return self.metric.score(self.targets, votes.astype(np.float32))
        confusion = confusion_of(self.targets, votes.argmax(axis=1), votes.shape[1])
        return self.metric.signed(self.metric.of_classes(confusion))

    def scores(self, several: Several) -> Scores:
        if self.metric.of_classes is None:
            return np.array([self.score(votes) for votes in several])
        confusions = confusions_of(self.targets, several.argmax(axis=2), several.shape[2])
        return np.array([self.metric.signed(self.metric.of_classes(one)) for one in confusions])

    def take(self, rows: Rows) -> "OwnMetric":
        return OwnMetric(self.metric, self.targets[rows])


@dataclass(frozen=True, eq=False)
class JointF1:
    """The macro F1 of the 18 joint classes, given what the other two tasks vote."""

    targets: Targets  # joint classes
    others: Targets  # what the other tasks' votes count in the joint class
    stride: int  # what a class number of this task counts there
    weighs_classes: bool = True  # False where the task's own metric judges probabilities

    @property
    def of_classes(self) -> bool:
        return True

    def score(self, votes: Votes) -> float:
        voted = self.others + self.stride * votes.argmax(axis=1)
        return macro_f1_of(confusion_of(self.targets, voted, JOINT_CLASSES))

    def scores(self, several: Several) -> Scores:
        confusions = confusions_of(self.targets, self.others + self.stride * several.argmax(axis=2), JOINT_CLASSES)
        either = confusions.sum(axis=1) + confusions.sum(axis=2)
        right = 2 * confusions.diagonal(axis1=1, axis2=2)
        scores: Scores = (right / np.maximum(either, 1)).sum(axis=1) / JOINT_CLASSES
        return scores

    def take(self, rows: Rows) -> "JointF1":
        return replace(self, targets=self.targets[rows], others=self.others[rows])
