"""Which trials of a task vote: its candidates, and those of them that were chosen."""

from dataclasses import dataclass, field

import numpy as np

from studies.metrics import Probabilities
from voting.calibration.decision import Decision
from voting.candidates.tasks import TaskCandidates
from voting.candidates.trials import Candidate
from voting.ensemble.fit import Explained
from voting.rules.vote import Rule, Votes


@dataclass(frozen=True, eq=False)
class Chosen:
    """A task's candidates and those of them that vote, the weightiest first."""

    candidates: TaskCandidates
    members: tuple[Candidate, ...]
    weights: tuple[float, ...] = ()  # of the members, sum to one; none: all alike
    rule: Rule = field(default_factory=Rule)
    decision: Decision = field(default_factory=Decision)
    explained: Explained | None = None  # why they were chosen; none where they were named

    @property
    def task(self) -> str:
        return self.candidates.task

    @property
    def best(self) -> Candidate:
        """Return the candidate with the best out-of-fold score, ties to the earlier."""
        return max(self.candidates.trials, key=lambda trial: trial.score)

    def out_of_fold(self) -> list[Probabilities]:
        """Return every member's out-of-fold probabilities, images sorted by id."""
        return [trial.predictions.probabilities for trial in self.members]

    def vote(self) -> Votes:
        """Return what the members vote together out of fold."""
        return self.rule(self.out_of_fold(), np.array(self.weights) if self.weights else None)

    def decided(self) -> Probabilities:
        """Return the vote whose largest probability is the class decided for."""
        return self.decision.decided(self.vote()).astype(np.float32)

    def spelled(self) -> str:
        """Return who votes, in one line."""
        trials = ", ".join(
            f"{trial.study.name} trial {trial.number} ({trial.metric.spelled(trial.score)}{self._share(place)})"
            for place, trial in enumerate(self.members)
        )
        return f"{self.task}: {self.rule.name} vote of {trials}, {self._folds()}{_decided(self)}"

    def _folds(self) -> str:
        """Return how many folds' models vote for each member."""
        trained = [len(trial.stored.voting_folds) for trial in self.members]
        of = self.members[0].stored.folds
        if set(trained) == {of}:
            return f"{of} folds each"
        return f"with {', '.join(map(str, dict.fromkeys(trained)))} of {of} folds"

    def _share(self, place: int) -> str:
        return f", weight {self.weights[place]:.2f}" if len(set(self.weights)) > 1 else ""


def _decided(one: Chosen) -> str:
    if not one.decision.class_weights:
        return ""
    named = zip(one.candidates.classes, one.decision.class_weights, strict=True)
    return "; classes weighed " + ", ".join(f"{name} {weight:.2f}" for name, weight in named)


def members_of(candidates: TaskCandidates, found: Explained, rule: Rule) -> Chosen:
    """Return the trials that an ensemble has vote."""
    weights = found.ensemble.weights
    order = [one for one in np.argsort(-weights, kind="stable") if weights[one] > 0]
    return Chosen(
        candidates,
        tuple(candidates.trials[one] for one in order),
        tuple(float(weights[one]) for one in order),
        rule,
        found.ensemble.decision,
        found,
    )
