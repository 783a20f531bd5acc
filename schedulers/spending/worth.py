"""What a further configuration is expected to gain, what it costs, and whether that is worth it.

The next one is taken to score at the first look as the last ones did. By how much the best is then expected to rise is the
expected improvement of a normal over it; what a look shows is partly chance, so only `RELIABILITY` of it counts:
about the rank correlation of an early look with other folds on recorded sets (`python -m benchmarks.knowledge.promotion`). Its
price is that of another trial on the ladder. What is saved and missed: `python -m benchmarks.knowledge.stopping`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

import numpy as np

from schedulers.spending.budget import Budget
from schedulers.spending.expected_improvement import expected_improvement
from schedulers.strategy import Strategy
from search_spaces.durations import spell_duration
from studies.state.ranking import competitors
from studies.state.rungs import Rung
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

RELIABILITY = 0.5
ENOUGH = 6  # trials with a score at the first look; fewer say nothing about the next
_RECENT = 8  # the last so many say what the next will be like


@dataclass(frozen=True)
class Offer:
    """What a further configuration brings: score, seconds of the device."""

    gain: float
    seconds: float

    @property
    def rate(self) -> float:
        """Return the score an hour."""
        return 3_600 * self.gain / max(self.seconds, 1e-9)

    def refused(self, worth: float) -> str:
        """Return in one line why this is not taken."""
        return (
            f"a further configuration is expected to gain {self.gain:.2g} in {spell_duration(self.seconds)} of the device,"
            f" {self.rate:.2g} an hour, and {worth:.2g} an hour is asked"
        )


def not_worth(study: StudyState, strategy: Strategy, budget: Budget, slots: int) -> str | None:
    """Return why no further configuration begins, None while one is worth it or nothing can be said."""
    found = next_offer(study, strategy, slots) if budget.worth is not None else None
    if found is None or budget.worth is None or found.rate >= budget.worth:
        return None
    return found.refused(budget.worth)


def next_offer(study: StudyState, strategy: Strategy, slots: int) -> Offer | None:
    """Return what the next configuration is expected to bring; None before enough trials were looked at."""
    seconds, rung = study.seconds_per_fold_epoch(), strategy.rungs.first
    trials, whole = competitors(study), _scores(study.trials.values(), rung)
    scores = _scores(trials, rung)
    if seconds is None or len(scores) < ENOUGH:
        return None
    fails = sum(trial.failure is not None and not trial.withdrawn for trial in trials) / len(trials)
    begun = len(trials)
    fold_epochs = max(
        float(strategy.rungs.cost(rung)), (strategy.cost(2 * begun) - strategy.cost(begun)) / begun
    )  # of one more, whole rungs apart
    gain = (1 - fails) * RELIABILITY * improvement(scores[-_RECENT:], max(whole))
    return Offer(gain, fold_epochs * seconds / slots)


def _scores(trials: Iterable[TrialState], rung: Rung) -> list[float]:
    return [score for trial in trials if (score := trial.score_at(rung)) is not None and isfinite(score)]


def improvement(scores: list[float], best: float) -> float:
    """Return by how much a draw from the normal of some scores is expected to exceed the best."""
    deviation = np.maximum(np.std(scores, ddof=1), 1e-12)
    return float(expected_improvement(np.asarray(np.mean(scores)), np.asarray(deviation), best))
