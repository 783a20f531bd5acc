"""Whether a configuration is likely to fail, judged by the trials most like it: a k-nearest-neighbour classifier."""

from collections.abc import Iterable, Mapping
from typing import Any

from search_spaces import Parameter, Range, SearchSpace
from studies.state.study_state import TrialState

NEIGHBOURS = 3


def likely_to_fail(space: SearchSpace, configuration: Mapping[str, Any], trials: Iterable[TrialState]) -> bool:
    """Tell whether most of the nearest trials that have a score or have failed are failed ones.

    Distance is Gower's (Biometrics 1971): parameter by parameter, a number by its place in its range, a choice by
    being the same or not. Trials without an outcome say nothing, and neither do a
    few of them.
    """
    ours = space.active(configuration)
    told = [trial for trial in trials if (trial.epochs or trial.failure is not None) and not trial.withdrawn]
    known = [(_distance(space, ours, trial), trial) for trial in told]
    if len(known) <= NEIGHBOURS:
        return False
    nearest = sorted(known, key=lambda pair: pair[0])[:NEIGHBOURS]
    return sum(trial.failure is not None for _, trial in nearest) > NEIGHBOURS / 2


def _distance(space: SearchSpace, ours: Mapping[str, Any], trial: TrialState) -> float:
    theirs = space.active(trial.configuration)
    return sum(_apart(space.parameters[name], ours.get(name), theirs.get(name)) for name in ours.keys() | theirs.keys())


def _apart(parameter: Parameter, ours: Any, theirs: Any) -> float:
    """Return how far two values lie apart, from 0 to 1; one is None where the parameter has no part in a trial."""
    if isinstance(parameter, Range) and ours is not None and theirs is not None:
        return abs(parameter.position(ours) - parameter.position(theirs))
    return float(ours != theirs)
