"""Whether a configuration is likely to fail, judged by the trials most like it: a k-nearest-neighbour classifier."""

from collections.abc import Iterable, Mapping
from typing import Any

from search_spaces import Choice, Range, SearchSpace
from studies.state.study_state import TrialState

NEIGHBOURS = 3


def likely_to_fail(space: SearchSpace, configuration: Mapping[str, Any], trials: Iterable[TrialState]) -> bool:
    """Tell whether most of the nearest trials that have a score or have failed are failed ones.

    Distance is Gower's (Biometrics 1971): parameter by parameter, a number by its place in its range, a choice by
    being the same or not. Trials without an outcome say nothing, and neither do a
    few of them.
    """
    ours = places(space, configuration)
    told = [trial for trial in trials if (trial.epochs or trial.failure is not None) and not trial.withdrawn]
    known = [(_distance(space, ours, trial), trial) for trial in told]
    if len(known) <= NEIGHBOURS:
        return False
    nearest = sorted(known, key=lambda pair: pair[0])[:NEIGHBOURS]
    return sum(trial.failure is not None for _, trial in nearest) > NEIGHBOURS / 2


def _distance(space: SearchSpace, ours: Mapping[str, Any], trial: TrialState) -> float:
    theirs = places(space, trial.configuration)
    return sum(_apart(ours.get(name), theirs.get(name)) for name in ours.keys() | theirs.keys())


def places(space: SearchSpace, configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return the active parameters of a configuration, a number by its range and its place there from 0 to 1."""
    drawn_from = space.drawn_from(configuration)
    return {name: _place(one, configuration[name]) for name, one in drawn_from.items()}


def _place(active: Range | Choice, value: Any) -> Any:
    return (active, active.position(value)) if isinstance(active, Range) else value


def _apart(ours: Any, theirs: Any) -> float:
    """Return how far two places lie apart, from 0 to 1; a parameter that has no part in a trial is None there."""
    if isinstance(ours, tuple) and isinstance(theirs, tuple) and ours[0] == theirs[0]:
        return float(abs(ours[1] - theirs[1]))
    return float(ours != theirs)
