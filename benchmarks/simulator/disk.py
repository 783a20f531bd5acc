"""A simulated disk: what the trial folders of a study hold, and what a crash leaves of it."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from studies.record.events import EpochScored, Part
from studies.trials.trial_folders import Drop, Holding

STATE, WEIGHTS = 3, 2  # bytes of a fold's state and of its weights
Place = tuple[int, int]  # trial and fold


@dataclass
class FoldOnDisk:
    """A fold's folder."""

    epochs: list[EpochScored] = field(default_factory=list)
    attempt: int = 0
    has_state: bool = False
    has_weights: bool = False


class SimulatedFolders:
    """Answers what a driver asks the trial folders (see `schedulers.disk.trimming.Folders`)."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs  # of every fold
        self.folds: dict[Place, FoldOnDisk] = defaultdict(FoldOnDisk)

    def save(self, line: EpochScored, attempt: int) -> None:
        """Save a fold-epoch, unless a newer attempt has the fold."""
        place = self.folds[line.trial, line.fold]
        assert place.attempt == attempt, "checked by whoever saves"
        place.epochs.append(line)
        place.has_state = len(place.epochs) < self.epochs
        place.has_weights = not place.has_state

    def replace(self, line: EpochScored) -> None:
        """Save the weights and the last score of a finished fold again."""
        place = self.folds[line.trial, line.fold]
        place.epochs[-1] = line
        place.has_weights = True

    def _of(self, trial: int) -> Iterator[tuple[int, FoldOnDisk]]:
        return ((fold, place) for (number, fold), place in sorted(self.folds.items()) if number == trial)

    def saved_epochs(self, trial: int) -> dict[int, list[EpochScored]]:
        """Return the epochs that a trial's folder holds, by fold."""
        return {fold: list(place.epochs) for fold, place in self._of(trial) if place.epochs}

    def pooled_score(self, trial: int, folds: int) -> float:
        """Return the mean of the last scores of a trial's first folds: what stands for their pooled predictions."""
        return sum(self.folds[trial, fold].epochs[-1].score for fold in range(folds)) / folds

    def without_weights(self, trial: int) -> frozenset[int]:
        """Return the finished folds of a trial that have no weights."""
        lacking = (
            fold for fold, place in self._of(trial) if len(place.epochs) == self.epochs and not place.has_weights
        )
        return frozenset(lacking)

    def left_alone(self, trial: int) -> frozenset[int]:
        """Return no fold: every folder has its manifest."""
        return frozenset()

    def newest_attempt(self) -> int:
        """Return the newest attempt that any folder has seen."""
        return max((place.attempt for place in self.folds.values()), default=0)

    def holding(self, trial: int) -> Holding:
        """Return the bytes that a trial's folder holds."""
        parts: dict[tuple[int, Part], int] = {}
        for fold, place in self._of(trial):
            parts |= {(fold, "resume"): STATE} if place.has_state else {}
            parts |= {(fold, "weights"): WEIGHTS} if place.has_weights else {}
        return Holding(sum(parts.values()), parts)

    def other_bytes(self) -> int:
        """Return that nothing else is held."""
        return 0

    def drop(self, drop: Drop) -> None:
        """Delete a part of a fold's folder."""
        place = self.folds[drop.trial, drop.fold]
        if drop.part == "resume":
            place.has_state = False
        else:
            place.has_weights = False
