"""Which files of a study go first when it outgrows its disk budget: one pure function.

First go the weights of those that can no longer be voters: trials that failed, and finished ones that are not among the best,
of which as many are kept as an export chooses among.
Then the states that continue an unfinished fold, and at last the weights of unfinished trials; should one of them go on
after all, it is trained again to the same digit. Always the least promising trial first. One that climbs, is to climb by
right or races in the finals loses nothing, nor do the best. Out-of-fold predictions and manifests are never in question.
"""

from collections.abc import Iterator, Mapping

from schedulers.strategy import Strategy
from studies.record.events import Part
from studies.state.ranking import least_promising_first, ranked_at
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.trials.trial_folders import Drop, Holding

_IN_RESERVE = 2  # trials that always keep their weights: one may still fail


def to_drop(
    study: StudyState, strategy: Strategy, holdings: Mapping[int, Holding], limit: int, voters: int
) -> list[Drop]:
    """Return what to delete so that the holdings fit into `limit` bytes, as far as they can.

    `voters` says among how many of the best finished trials an export chooses: they keep their weights.
    """
    excess = sum(holding.total for holding in holdings.values()) - limit
    drops = []
    for trial, part in _in_order(study, strategy, voters):
        held = holdings[trial.number].parts if trial.number in holdings else {}
        for fold in sorted((number for number, state in trial.folds.items() if not state.climbing), reverse=True):
            size = held.get((fold, part), 0)
            if excess > 0 and size:
                drops.append(Drop(trial.number, fold, part))
                excess -= size
    return drops


def _in_order(study: StudyState, strategy: Strategy, voters: int) -> Iterator[tuple[TrialState, Part]]:
    kept = _kept(study, strategy, voters)
    dispensable = [trial for trial in least_promising_first(study, strategy.rungs) if trial.number not in kept]
    ended = [trial for trial in dispensable if trial.failure is not None or trial.has_trained(strategy.rungs.top)]
    yield from ((trial, "weights") for trial in ended)
    yield from ((trial, "resume") for trial in dispensable)
    yield from ((trial, "weights") for trial in dispensable if trial not in ended)


def _kept(study: StudyState, strategy: Strategy, voters: int) -> set[int]:
    """Return the trials that lose nothing; one of them has a finished fold, if any has: there is always something to export."""
    trials = [trial for trial in study.trials.values() if trial.failure is None]
    finished = ranked_at(trials, strategy.rungs.top)[: max(voters, strategy.finalists)]
    by_right = [trial for trial in trials if trial.climbing or trial.interrupted or trial.origin == "recipe"]
    furthest = [trial for trial in least_promising_first(study, strategy.rungs)[-_IN_RESERVE:] if trial.failure is None]
    return {trial.number for trial in (*finished, *by_right, *strategy.finals(study), *furthest)}
