"""The record in Optuna's terms: in-memory studies that a sampler may be asked on.

A trial that was reported to Optuna can never be promoted again, so no Optuna study is kept: one is projected from the
record for every question (0.4 s at 1,000 trials).
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import optuna
from optuna.trial import FrozenTrial, TrialState, create_trial
from scipy.stats import rankdata

from schedulers.samplers.dimensions import Coordinates, active_coordinates, all_coordinates
from schedulers.strategy import Strategy, earned_rungs
from search_spaces import SearchSpace
from studies.state.rungs import Rung
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState as OurTrial

SHOWN = 50
_NO_RUNG = Rung(0, 0)
ORIGIN = "origin"  # of a projected trial: who proposed it
Projection: TypeAlias = Callable[[SearchSpace, StudyState, Strategy], list[FrozenTrial]]


def by_depth(
    space: SearchSpace, study: StudyState, strategy: Strategy, coordinates: Coordinates = all_coordinates
) -> list[FrozenTrial]:
    """Return the trials at the rungs they have earned, for a sampler that ranks by depth before score (TPE).

    Complete at the top, pruned at an earned rung, running before the first, failed as infeasible.
    """
    frozen = partial(_frozen, space, coordinates)
    earned, rungs = earned_rungs(study, strategy), strategy.rungs

    def projected(trial: OurTrial) -> FrozenTrial:
        rung = earned[trial.number]
        if rung is None:
            return frozen(trial, TrialState.RUNNING)
        state = TrialState.COMPLETE if rung == rungs.top else TrialState.PRUNED
        return frozen(trial, state, trial.score_at(rung), rungs.cost(rung))

    inside = [one for one in study.trials.values() if space.contains(one.configuration) and not one.withdrawn]
    return [
        _infeasible(frozen(trial, TrialState.PRUNED)) if trial.failure is not None else projected(trial)
        for trial in inside
    ]


def by_rank(
    space: SearchSpace, study: StudyState, strategy: Strategy, coordinates: Coordinates = all_coordinates
) -> list[FrozenTrial]:
    """Return the trials as complete with their rank from 0 to 1, for a sampler that models one value.

    Scores of different rungs do not compare, ranks do: deeper rungs first, then the score there; equal ones share their
    mean rank, and failed trials that of the last place. Of a large study only the best, the newest and the last failed
    `SHOWN` trials each are given: a Gaussian process takes time with the cube of their number.
    """
    earned = earned_rungs(study, strategy)
    failed = [number for number, one in study.trials.items() if one.failure is not None and not one.withdrawn]
    scored = [trial for trial in study.trials.values() if trial.failure is None and earned[trial.number]]
    order = sorted(scored, key=lambda trial: _depth_and_score(trial, earned))
    keys = [(_NO_RUNG, 0.0)] * len(failed) + [_depth_and_score(trial, earned) for trial in order]
    ranks = dict(zip([*failed, *(trial.number for trial in order)], _mean_ranks(keys), strict=True))

    def projected(trial: OurTrial) -> FrozenTrial:
        if trial.number not in ranks:
            return _frozen(space, coordinates, trial, TrialState.RUNNING)
        return _frozen(space, coordinates, trial, TrialState.COMPLETE, ranks[trial.number])

    given = {*list(study.trials)[-SHOWN:], *(trial.number for trial in order[-SHOWN:]), *failed[-SHOWN:]}
    trials = [study.trials[number] for number in sorted(given)]
    return [projected(one) for one in trials if space.contains(one.configuration) and not one.withdrawn]


def _depth_and_score(trial: OurTrial, earned: Mapping[int, Rung | None]) -> tuple[Rung, float]:
    rung = earned[trial.number]
    return rung or _NO_RUNG, 0.0 if rung is None else trial.scores[rung]


def _mean_ranks(keys: Sequence[tuple[Rung, float]]) -> list[float]:
    """Return the place of every key between 0 (first) and 1 (last); equal keys share the mean of their places."""
    distinct = {key: place for place, key in enumerate(sorted(set(keys)))}
    places = rankdata([distinct[key] for key in keys]) - 1
    return [float(place) / max(1, len(keys) - 1) for place in places]


def nothing(space: SearchSpace, study: StudyState, strategy: Strategy) -> list[FrozenTrial]:
    """Return no trial, for a sampler that does not learn."""
    return []


def in_memory_study(trials: Sequence[FrozenTrial], sampler: optuna.samplers.BaseSampler) -> optuna.Study:
    """Return an in-memory study of projected trials."""
    mirror = optuna.create_study(direction="maximize", sampler=sampler)
    mirror.add_trials(trials)
    return mirror


def by_depth_of_active(space: SearchSpace, study: StudyState, strategy: Strategy) -> list[FrozenTrial]:
    """Return what `by_depth` does, less the parameters that have no part in a trial: for a grid."""
    return by_depth(space, study, strategy, active_coordinates)


def by_rank_of_active(space: SearchSpace, study: StudyState, strategy: Strategy) -> list[FrozenTrial]:
    """Return what `by_rank` does, less the parameters that have no part in a trial."""
    return by_rank(space, study, strategy, active_coordinates)


def _infeasible(failed: FrozenTrial) -> FrozenTrial:
    return create_trial(
        state=failed.state, params=failed.params, distributions=failed.distributions, constraints={"failed": 1.0}
    )


def _frozen(
    space: SearchSpace,
    coordinates: Coordinates,
    trial: OurTrial,
    state: TrialState,
    value: float | None = None,
    step: int | None = None,
) -> FrozenTrial:
    seen = coordinates(space, trial.configuration)
    return create_trial(
        state=state,
        value=value,
        params={name: one.value for name, one in seen.items()},
        distributions={name: one.distribution for name, one in seen.items()},
        intermediate_values={} if step is None or value is None else {step: value},
        user_attrs={ORIGIN: trial.origin},
    )
