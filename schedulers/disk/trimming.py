"""Keeping a study's folder to its disk budget, with what the trial folders can tell and drop."""

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from schedulers.disk.disk_budget import to_drop
from schedulers.strategy import Strategy
from search_spaces.sizes import spell_size
from studies.record.events import EpochScored
from studies.state.study_state import StudyState
from studies.trials.trial_folders import Drop, Holding

logger = logging.getLogger(__name__)


class Folders(Protocol):
    """What a run asks the trial folders: they may know more than the record after a crash."""

    def saved_epochs(self, trial: int) -> Mapping[int, Sequence[EpochScored]]:
        """Return the epochs that a trial's folder holds, by fold."""

    def pooled_score(self, trial: int, folds: int) -> float:
        """Return the score of a trial's first folds together."""

    def without_weights(self, trial: int) -> Collection[int]:
        """Return the finished folds of a trial that have no weights."""

    def left_alone(self, trial: int) -> Collection[int]:
        """Return the folds of a trial whose folder has files but no manifest."""

    def newest_attempt(self) -> int:
        """Return the newest attempt that any folder has seen."""

    def holding(self, trial: int) -> Holding:
        """Return the bytes that a trial's folder holds."""

    def other_bytes(self) -> int:
        """Return the bytes of the study's own files beside the trial folders."""

    def drop(self, drop: Drop) -> None:
        """Delete a part of a fold's folder."""


class Trimmer:
    """Knows what every trial folder holds, as of when its trial last rested."""

    def __init__(self, folders: Folders, limit: int | None, voters: int) -> None:
        self._folders, self._limit, self._voters = folders, limit, voters
        self._holdings: dict[int, Holding] = {}
        self._warned = False

    def tidy(self, study: StudyState, strategy: Strategy, changed: Iterable[int]) -> Iterator[tuple[Drop, int]]:
        """Yield each drop for which the budget has no room, with the bytes that it frees; it is done once it is noted."""
        if self._limit is None:
            return
        self._holdings |= {trial: self._folders.holding(trial) for trial in changed}
        room = self._limit - self._folders.other_bytes()
        for drop in to_drop(study, strategy, self._holdings, room, self._voters):
            freed = self._holdings[drop.trial].parts.get((drop.fold, drop.part))
            if freed is None:  # a process of an earlier launch has gone on with the fold
                continue
            yield drop, freed
            self._folders.drop(drop)
            self._holdings[drop.trial] = self._folders.holding(drop.trial)
        over = sum(holding.total for holding in self._holdings.values()) - room
        if over > 0 and not self._warned:
            self._warned = True
            logger.warning(
                "The study cannot be kept to %s: what runs, may still win or may vote takes %s more. Raise --disk-budget.",
                spell_size(self._limit),
                spell_size(over),
            )
