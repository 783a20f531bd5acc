"""What an actor is asked to do: take one trial, from where its folder says it stands, to a rung."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, TypeAlias

FoldOrder: TypeAlias = Literal["sequential", "lockstep"]


@dataclass(frozen=True)
class ClimbOrder:
    """Which trial goes to which rung (in fold-epochs), how its folds advance and by which metric it is judged.

    `attempt` grows over the whole study: of two that work on a trial, the newer one is right.
    """

    trial: int
    rung: int
    attempt: int
    configuration: dict[str, Any]
    fold_order: FoldOrder = "sequential"
    metric: str = "macro_f1"

    def as_values(self) -> dict[str, Any]:
        """Return the order as plain JSON values."""
        return asdict(self)

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> "ClimbOrder":
        """Return the order that `as_values` wrote; other keys are left out."""
        return cls(**{field.name: values[field.name] for field in fields(cls) if field.name in values})


def position_after(done: int, epochs: int, folds: int, order: FoldOrder) -> tuple[int, int]:
    """Return the fold and the epoch, both from 0, that come after so many fold-epochs of a trial."""
    if order == "lockstep":
        epoch, fold = divmod(done, folds)
        return fold, epoch
    return divmod(done, epochs)
