"""Which trials of a task vote: its candidates, and those of them that were chosen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from studies.metrics import Probabilities
from voting.candidates import TaskCandidates
from voting.finished_trials import FinishedTrial
from voting.rules import vote_rule
from voting.selection import best_members


@dataclass(frozen=True)
class Chosen:
    """A task's candidates and those of them that vote, best first."""

    candidates: TaskCandidates
    members: tuple[FinishedTrial, ...]
    rule: str = "soft"
    rule_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def task(self) -> str:
        return self.candidates.task

    def out_of_fold(self) -> list[Probabilities]:
        """Return every member's out-of-fold probabilities, images sorted by id."""
        return [trial.predictions.probabilities for trial in self.members]

    def vote(self) -> Probabilities:
        """Return what the members say together out of fold."""
        return vote_rule(self.rule, self.rule_options)(self.out_of_fold()).astype(np.float32)

    def spelled(self) -> str:
        """Return who votes, in one line."""
        trials = ", ".join(
            f"{trial.study.name} trial {trial.number} ({trial.metric.spelled(trial.score)})" for trial in self.members
        )
        return f"{self.task}: {self.rule} vote of {trials}, {self.members[0].manifest.folds} folds each"


def choose(
    candidates: TaskCandidates, size: int, rule: str = "soft", rule_options: Mapping[str, Any] | None = None
) -> Chosen:
    """Return the trials of a task that vote by a rule, at most `size`."""
    options = rule_options or {}
    predictions = [trial.predictions.probabilities for trial in candidates.trials]
    best = best_members(
        candidates.trials[0].predictions.targets, predictions, size, candidates.metric, vote_rule(rule, options)
    )
    return Chosen(candidates, tuple(candidates.trials[position] for position in best), rule, options)
