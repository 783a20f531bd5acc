"""The rungs of a study's ladder: where trials are compared. Geometry only; what is done there is the strategy's."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class Rung(NamedTuple):
    """The first `folds` folds, each trained for `epoch` epochs; rungs are ordered by folds, then epochs."""

    folds: int
    epoch: int


class Rungs(BaseModel):
    """All rungs in ascending order: inside the first fold, then fold by fold. The last is the top, a whole trial."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    folds: int
    epochs: int  # of every fold
    levels: tuple[Rung, ...]

    @classmethod
    def of(cls, folds: int, epochs: int, inside: Iterable[int] = ()) -> "Rungs":
        """Return the rungs after some epochs of the first fold, and after every fold."""
        first = [Rung(1, epoch) for epoch in sorted(set(inside)) if 0 < epoch < epochs]
        return cls(folds=folds, epochs=epochs, levels=(*first, *(Rung(fold, epochs) for fold in range(1, folds + 1))))

    @property
    def first(self) -> Rung:
        """Return the lowest rung."""
        return self.levels[0]

    @property
    def top(self) -> Rung:
        """Return the rung of a whole trial."""
        return self.levels[-1]

    @property
    def whole(self) -> int:
        """Return the fold-epochs of a whole trial."""
        return self.folds * self.epochs

    @cached_property
    def inside_first_fold(self) -> tuple[Rung, ...]:
        """Return the rungs before the end of the first fold."""
        return tuple(rung for rung in self.levels if rung < (1, self.epochs))

    def cost(self, rung: Rung | None) -> int:
        """Return the fold-epochs of a trial that trains one fold after the other up to a rung; 0 for none."""
        return 0 if rung is None else (rung.folds - 1) * self.epochs + rung.epoch

    def above(self, rung: Rung | None) -> Rung | None:
        """Return the rung that follows; the lowest after none, none after the top."""
        return next((level for level in self.levels if rung is None or level > rung), None)

    def is_level(self, fold: int, epochs: int) -> bool:
        """Tell whether a fold with so many epochs stands at a rung, or was not begun."""
        inside = {level.epoch for level in self.inside_first_fold} if fold == 0 else set()
        return epochs in {0, self.epochs, *inside}

    def next_epoch(self, fold: int, epochs: int) -> int:
        """Return the epoch of the next rung of a fold that has so many epochs; only the first fold has rungs inside."""
        inside = [level.epoch for level in self.inside_first_fold] if fold == 0 else []
        return next(epoch for epoch in (*inside, self.epochs) if epoch > epochs)

    def highest(self, progress: Mapping[int, int]) -> Rung | None:
        """Return the highest rung that a trial has reached, given the epochs of each of its folds; None before the first."""
        return next((level for level in reversed(self.levels) if is_reached(level, progress)), None)


def is_reached(rung: Rung, progress: Mapping[int, int]) -> bool:
    """Tell whether each of a rung's folds has its epoch, given the epochs of each fold of a trial."""
    return all(progress.get(fold, 0) >= rung.epoch for fold in range(rung.folds))
