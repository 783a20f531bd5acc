"""Which trials of a task vote: its candidates, and those of them that were chosen."""

from dataclasses import dataclass

import numpy as np

from studies.metrics import Probabilities
from voting.candidates import TaskCandidates
from voting.finished_trials import FinishedTrial
from voting.rules import find_rule
from voting.selection import best_members


@dataclass(frozen=True)
class Chosen:
    """A task's candidates and those of them that vote, best first."""

    candidates: TaskCandidates
    members: tuple[FinishedTrial, ...]
    rule: str = "soft"

    @property
    def task(self) -> str:
        return self.candidates.task

    def out_of_fold(self) -> list[Probabilities]:
        """Return every member's out-of-fold probabilities, images sorted by id."""
        return [trial.predictions.probabilities for trial in self.members]

    def vote(self) -> Probabilities:
        """Return what the members say together out of fold."""
        return find_rule(self.rule)(self.out_of_fold()).astype(np.float32)

    def spelled(self) -> str:
        """Return who votes, in one line."""
        trials = ", ".join(
            f"{trial.study.name} trial {trial.number} ({trial.metric.spelled(trial.score)})" for trial in self.members
        )
        return f"{self.task}: {self.rule} vote of {trials}, {self.members[0].manifest.folds} folds each"


def choose(candidates: TaskCandidates, size: int) -> Chosen:
    """Return the trials of a task that vote, at most `size`."""
    predictions = [trial.predictions.probabilities for trial in candidates.trials]
    best = best_members(
        candidates.trials[0].predictions.targets, predictions, size, candidates.metric, find_rule(Chosen.rule)
    )
    return Chosen(candidates, tuple(candidates.trials[position] for position in best))
