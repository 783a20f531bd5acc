"""What an actor is asked to do: take one fold of one trial, from where its folder says it stands, to an epoch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from studies.trials.attempts import Attempt


@dataclass(frozen=True)
class ClimbOrder:
    """Which fold of which trial is trained to how many epochs, and by which metric it is scored.

    `attempt` grows over the whole study: of two that work on a fold, the newer one is right.
    """

    trial: int
    fold: int
    epoch: int
    attempt: int
    configuration: dict[str, Any]
    metric: str = "macro_f1"
    launch: str = ""
    micro_batches: int = 1  # parts in which a batch is trained, as memory did not suffice for the whole
    precision: str | None = None  # what `auto` stands for in this study; None: the device decides

    @property
    def claim(self) -> Attempt:
        """Return the attempt with which the fold's folder is taken over."""
        return Attempt(self.attempt, self.launch)

    def as_values(self) -> dict[str, Any]:
        """Return the order as plain JSON values."""
        return asdict(self)

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> "ClimbOrder":
        """Return the order that `as_values` wrote; other keys are left out."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})
