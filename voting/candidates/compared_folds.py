"""On which folds the candidates of a task are compared while a search has not trained all of them.

Trials are compared on persons whom each of them was judged on, so on folds that they share. More folds judge more surely and
leave more trials out: those that have not got so far.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from voting.candidates.trials import Candidate
from voting.out_of_fold.paired import standard_error
from voting.rules.joint import JOINT_TASKS

_BEYOND_NOISE = 2.0  # standard errors by which a trial of fewer folds has to be ahead
_JOINTLY = 2  # folds at least, for mask, gender and age to be chosen together
Folds = tuple[int, ...]


def compared_folds(candidates: Sequence[Candidate], samples: pd.DataFrame) -> Folds:
    """Return the folds on which the trials of a task are compared; `samples` are its images.

    They are what the leader shares with the trial that has most of its folds, if that is at least half of them; else the
    leader's own, which then is compared with nobody who has fewer.
    """
    leader = leading(candidates, samples)
    own = set(leader.folds)
    shared = [tuple(sorted(own & set(other.folds))) for other in candidates if other is not leader]
    enough = [folds for folds in shared if 2 * len(folds) >= len(own)]
    return min(enough, key=lambda folds: (-len(folds), folds), default=tuple(sorted(own)))


def leading(candidates: Sequence[Candidate], samples: pd.DataFrame) -> Candidate:
    """Return the trial with most folds, unless a trial with fewer is ahead of it beyond noise on those that they share."""
    first, *others = sorted(candidates, key=lambda trial: (-len(trial.folds), -trial.score))
    leader = first
    for other in others:
        if _is_ahead(other, leader, samples):
            leader = other
    return leader


def _is_ahead(one: Candidate, other: Candidate, samples: pd.DataFrame) -> bool:
    """Tell whether a trial is ahead of another beyond noise on the folds that both have."""
    shared = set(one.folds) & set(other.folds)
    rows = samples[samples["fold"].isin(shared)]
    if not len(rows):
        return False
    ours, theirs = (trial.on(shared, rows["id"]) for trial in (one, other))
    persons = np.unique(rows["person"].to_numpy(str), return_inverse=True)[1]
    noise = standard_error(
        ours.predictions.probabilities,
        theirs.predictions.probabilities,
        ours.predictions.targets,
        persons,
        of_classes=ours.metric.of_classes is not None,
    )
    return ours.score - theirs.score > _BEYOND_NOISE * noise


def together(folds: Mapping[str, Folds]) -> dict[str, Folds]:
    """Return the folds of every task, those of mask, gender and age alike if they share enough to be chosen jointly."""
    if not all(task in folds for task in JOINT_TASKS):
        return dict(folds)
    shared = tuple(sorted(set.intersection(*(set(folds[task]) for task in JOINT_TASKS))))
    if len(shared) < _JOINTLY:
        return dict(folds)
    return {**folds, **dict.fromkeys(JOINT_TASKS, shared)}
