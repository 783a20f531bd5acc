"""What a bundle says about itself: its manifest, field by field.

Format 3 had neither weights, decision nor promise: its members vote alike and the most probable class wins, which is what
their defaults say. Format 4 did not name the folds of a member: it had all of them. Both are read as they are.
"""

from typing import Annotated, Any, Literal, Self, TypeAlias, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from datasets.images import Resize
from datasets.numbers import Number
from studies.record.events import Fold
from trainables.config import TrainConfig, configured
from voting.calibration.decision import Decision
from voting.rules.vote import Rule, Weights

FORMAT: Literal[5] = 5
READS = (3, 4, 5)


MANY = 1000  # members, or models of one: far more than any export packs
Value = TypeVar("Value")
Channels: TypeAlias = tuple[Value, Value, Value]
Deviation: TypeAlias = Annotated[
    float, Field(gt=1e-6)
]  # of pixels from 0 to 1: whatever is divided by less is no picture


class BundleError(ValueError):
    """A bundle that cannot be built, is not what its manifest says, or does not fit the images."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class MemberSpec(_Part):
    """One voter: a trial, with the weights of its folds' models and how images are prepared for it."""

    study: str
    trial: int
    origin: str
    digest: str
    classifier: dict[str, Any]  # the knobs that its models are built by
    borders: tuple[float, ...] | None = None  # where classes begin for a trial that tuned it
    resize: Resize
    mean: Channels[float]
    std: Channels[Deviation]
    out_of_fold_score: float
    weights: tuple[str, ...] = Field(min_length=1, max_length=MANY)  # one file per model, below the bundle
    folds: tuple[Fold, ...] = ()  # that the models leave out; none: all from the first on

    @model_validator(mode="after")
    def _one_fold_a_model(self) -> Self:
        if self.folds and (
            len(self.folds) != len(self.weights) or len(set(self.folds)) < len(self.folds) or min(self.folds) < 0
        ):
            raise ValueError(f"{self.study} trial {self.trial} must have different folds, one for each of its models")
        return self

    @property
    def fold_numbers(self) -> tuple[int, ...]:
        """Return the fold that each model leaves out."""
        return self.folds or tuple(range(len(self.weights)))

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
    classes: tuple[str, ...] = Field(min_length=2)
    number: Number | None = None  # behind the label
    metric: str = "macro_f1"  # by which its trials were searched
    vote: str = "soft"  # one of `voting.rules.VOTE_RULES`
    vote_options: dict[str, Any] = {}
    weights: tuple[float, ...] = ()  # of the members; none: all alike
    temperature: float = Field(1.0, ge=1e-3, le=1e3)  # of the vote's probabilities
    class_weights: tuple[float, ...] = ()  # by which the class is decided; none: the most probable one
    promise: PromiseSpec | None = None
    members: tuple[MemberSpec, ...] = Field(max_length=MANY)

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

    format: Literal[3, 4, 5] = FORMAT
    name: str
    created: str
    tasks: tuple[TaskSpec, ...]
    plugins: tuple[PluginSpec, ...] = ()
    joint: JointSpec | None = None  # of mask, gender and age, where all three are voted on
    refit: bool = False  # trained on all persons, holdout too: never scored
    scores: dict[str, Any] = {}
    provenance: dict[str, Any]
    files: dict[str, str]
