"""What a bundle says about itself: its manifest, field by field.

Format 3 had neither weights, decision nor promise: its members vote alike and the most probable class wins, which is what
their defaults say. So it is read as it is.
"""

from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from datasets.images import Resize
from datasets.numbers import Number
from trainables.config import TrainConfig, configured
from voting.calibration.decision import Decision
from voting.rules.vote import Rule, Weights

FORMAT: Literal[4] = 4
READS = (3, 4)


class BundleError(ValueError):
    """A bundle that cannot be built, is not what its manifest says, or does not fit the images."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MemberSpec(_Part):
    """One voter: a trial, with the weights of every fold's model and how images are prepared for it."""

    study: str
    trial: int
    origin: str
    digest: str
    classifier: dict[str, Any]  # the knobs that its models are built by
    borders: tuple[float, ...] | None = None  # where classes begin for a trial that tuned it
    resize: Resize
    mean: tuple[float, ...]
    std: tuple[float, ...]
    out_of_fold_score: float
    weights: tuple[str, ...]  # one file per fold, below the bundle

    @property
    def config(self) -> TrainConfig:
        """Return the configuration that its models are built by; their weights come from files."""
        return configured({**self.classifier, "weights": "none"})


class PromiseSpec(_Part):
    """What the ensemble that is packed scores on new persons."""

    metric: str
    score: float
    low: float
    high: float
    level: float = Field(gt=0, lt=1)  # of the interval


class JointSpec(_Part):
    """What the tasks together promise for the joint classes."""

    promise: PromiseSpec


class TaskSpec(_Part):
    """One task: its classes in order, who votes on it by which rule, and how the vote is decided."""

    task: str
    classes: tuple[str, ...]
    number: Number | None = None  # behind the label
    metric: str = "macro_f1"  # by which its trials were searched
    vote: str = "soft"  # one of `voting.rules.VOTE_RULES`
    vote_options: dict[str, Any] = {}
    weights: tuple[float, ...] = ()  # of the members; none: all alike
    temperature: float = Field(1.0, gt=0)  # of the vote's probabilities
    class_weights: tuple[float, ...] = ()  # by which the class is decided; none: the most probable one
    promise: PromiseSpec | None = None
    members: tuple[MemberSpec, ...]

    @property
    def rule(self) -> Rule:
        """Return the rule by which the members vote.

        Raises:
            PluginError: it is not there.
        """
        return Rule(self.vote, self.vote_options)

    @property
    def member_weights(self) -> Weights:
        """Return a weight for every member; they sum to one."""
        weights = np.array(self.weights or [1.0] * len(self.members))
        shares: Weights = weights / weights.sum()
        return shares

    @property
    def decision(self) -> Decision:
        """Return how the vote is decided."""
        return Decision(self.temperature, self.class_weights)


class PluginSpec(_Part):
    """A plugin without which a bundle cannot vote; a copy of its source lies in the bundle."""

    name: str
    source: str  # below the bundle
    digest: str


class BundleManifest(_Part):
    """Everything a bundle says about itself."""

    format: Literal[3, 4] = FORMAT
    name: str
    created: str
    tasks: tuple[TaskSpec, ...]
    plugins: tuple[PluginSpec, ...] = ()
    joint: JointSpec | None = None  # of mask, gender and age, where all three are voted on
    refit: bool = False  # trained on all persons, holdout too: never scored
    scores: dict[str, Any] = {}
    provenance: dict[str, Any]
    files: dict[str, str]
