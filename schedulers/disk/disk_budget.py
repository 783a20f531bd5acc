"""Which files of a study go first when it outgrows its disk budget: one pure function.

First go the weights of those that can no longer be voters: trials that failed, and finished ones that are not among the best,
of which as many are kept as an export chooses among.
Then the states that continue an unfinished fold, and at last the weights of unfinished trials; should one of them go on
after all, it is trained again to the same digit. Always the least promising trial first. One that climbs, is to climb by
right or races in the finals loses nothing, nor do the best. Out-of-fold predictions and manifests are never in question.
"""

from collections.abc import Iterator, Mapping

from schedulers.ladder import Ladder, ranked_at
from studies.study_state import StudyState, TrialState
from studies.trial_folders import Drop, Holding


def to_drop(study: StudyState, ladder: Ladder, holdings: Mapping[int, Holding], limit: int, voters: int) -> list[Drop]:
    """Return what to delete so that the holdings fit into `limit` bytes, as far as they can.

    `voters` says among how many of the best finished trials an export chooses: they keep their weights.
    """
    excess = sum(holding.total for holding in holdings.values()) - limit
    drops = []
    for drop in _in_order(study, ladder, voters):
        size = holdings[drop.trial].parts.get(drop.part, 0) if drop.trial in holdings else 0
        if excess > 0 and size:
            drops.append(drop)
            excess -= size
    return drops


def _in_order(study: StudyState, ladder: Ladder, voters: int) -> Iterator[Drop]:
    kept = _kept(study, ladder, voters)
    dispensable = [trial for trial in least_promising_first(study, ladder) if trial.number not in kept]
    ended = [trial for trial in dispensable if trial.failure is not None or trial.fold_epochs >= ladder.top]
    yield from (Drop(trial.number, "weights") for trial in ended)
    yield from (Drop(trial.number, "resume") for trial in dispensable)
    yield from (Drop(trial.number, "weights") for trial in dispensable if trial not in ended)


def _kept(study: StudyState, ladder: Ladder, voters: int) -> set[int]:
    """Return the trials that lose nothing."""
    trials = [trial for trial in study.trials.values() if trial.failure is None]
    finished = ranked_at(trials, ladder.top)[: max(voters, ladder.finalists)]
    by_right = [trial for trial in trials if trial.climbing or trial.interrupted or trial.origin == "recipe"]
    return {trial.number for trial in (*finished, *by_right, *ladder.finals(study))}


def least_promising_first(study: StudyState, ladder: Ladder) -> list[TrialState]:
    """Return all trials: failed ones first, then by how far they came, then by score."""

    def promise(trial: TrialState) -> tuple[bool, int, float]:
        reached = max((rung for rung in ladder.rungs if rung <= trial.fold_epochs), default=0)
        return (trial.failure is None, reached, trial.score_at(reached) or 0.0)

    return sorted(study.trials.values(), key=promise)
