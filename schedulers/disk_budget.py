"""Which files of a study go first when it outgrows its disk budget: one pure function.

States that continue an unfinished fold go first, for they can be trained again; then weights. In both it begins with the
least promising trial. A trial that climbs or is still to climb by right loses nothing, nor do those that an
export would choose from first. Out-of-fold predictions and manifests are never in question.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from schedulers.ladder import Ladder, ranked_at
from schedulers.study_state import StudyState, TrialState

Part: TypeAlias = Literal["resume", "weights"]


@dataclass(frozen=True)
class Holding:
    """Bytes that a trial's folder holds: all together, and those that may be dropped, by part."""

    total: int
    parts: Mapping[Part, int]


@dataclass(frozen=True)
class Drop:
    """Delete one part of one trial's folder."""

    trial: int
    part: Part


def to_drop(study: StudyState, ladder: Ladder, holdings: Mapping[int, Holding], limit: int) -> list[Drop]:
    """Return what to delete so that the holdings fit into `limit` bytes, as far as they can."""
    excess = sum(holding.total for holding in holdings.values()) - limit
    drops = []
    for drop in _in_order(study, ladder):
        size = holdings[drop.trial].parts.get(drop.part, 0) if drop.trial in holdings else 0
        if excess > 0 and size:
            drops.append(drop)
            excess -= size
    return drops


def _in_order(study: StudyState, ladder: Ladder) -> Iterator[Drop]:
    kept = _kept(study, ladder)
    dispensable = [trial.number for trial in least_promising_first(study, ladder) if trial.number not in kept]
    yield from (Drop(number, "resume") for number in dispensable)
    yield from (Drop(number, "weights") for number in dispensable)


def _kept(study: StudyState, ladder: Ladder) -> set[int]:
    """Return the trials that lose nothing."""
    voters = ranked_at(study.trials.values(), ladder.top)[: ladder.finalists]
    by_right = [
        trial for trial in study.trials.values() if trial.climbing or trial.interrupted or trial.origin == "recipe"
    ]
    return _numbers([*voters, *by_right, *ladder.finals(study)])


def least_promising_first(study: StudyState, ladder: Ladder) -> list[TrialState]:
    """Return all trials: failed ones first, then by how far they came, then by score."""

    def promise(trial: TrialState) -> tuple[bool, int, float]:
        reached = max((rung for rung in ladder.rungs if rung <= trial.fold_epochs), default=0)
        return (trial.failure is None, reached, trial.score_at(reached) or 0.0)

    return sorted(study.trials.values(), key=promise)


def _numbers(trials: Iterable[TrialState]) -> set[int]:
    return {trial.number for trial in trials}
