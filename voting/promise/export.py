"""The promises of an export: one for every task, and one for the joint classes."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from studies.metrics import METRICS, Metric, Probabilities
from voting.bundle.specs import PromiseSpec
from voting.ensemble.fit import Wanted
from voting.ensemble.members import Chosen
from voting.ensemble.tasks import Tasks
from voting.promise.bootstrap import RESAMPLES, resampled
from voting.promise.estimate import LEVEL, Estimate, Seen, estimated
from voting.promise.gain import expected_gains, share_of_gain
from voting.promise.holdout import Held, held_out
from voting.rules.joint import JOINT, JOINT_TASKS, joint_class, joint_votes

HoldoutVotes = Mapping[str, Probabilities]  # by TASK/vote and TASK/fold/N


def estimates(
    tasks: Tasks,
    chosen: Sequence[Chosen],
    wanted: Wanted,
    said: HoldoutVotes,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Estimate]:
    """Return what the packed ensembles promise, from out-of-fold predictions and their votes on the holdout."""
    packed = {one.task: one.explained.ensemble for one in chosen if one.explained is not None}
    seen = tasks.scores(packed, tasks.everyone())
    draws = resampled(tasks, packed, wanted, seed, resamples)
    held = holdouts(chosen, said)
    persons = {task: len(np.unique(pool.persons)) for task, pool in tasks.pools.items()} | {JOINT: tasks.persons}
    gains = expected_gains(tasks, packed, {one.task: _share_of_gain(one) for one in chosen})
    return {name: estimated(Seen(seen[name], persons[name], draws[name], gains[name]), held.get(name)) for name in seen}


def _share_of_gain(one: Chosen) -> float:
    """Return the share of the gain for the mean number of models that a member has."""
    models = float(np.mean([len(trial.stored.voting_folds) for trial in one.members]))
    return share_of_gain(models, one.members[0].stored.folds)


def holdouts(chosen: Sequence[Chosen], said: HoldoutVotes) -> dict[str, Held]:
    """Return what the holdout says of every task that has one, and of the joint classes."""
    there = {one.task: one for one in chosen if len(said.get(f"{one.task}/vote", ()))}
    found = {
        task: held_out(
            one.candidates.metric, _targets(one), _persons(one), said[f"{task}/vote"], list(_folds(task, said).values())
        )
        for task, one in there.items()
    }
    same = [there[task].candidates.holdout["id"].to_numpy(str) for task in JOINT_TASKS if task in there]
    if len(same) == len(JOINT_TASKS) and all(np.array_equal(one, same[0]) for one in same):
        truth = joint_class({task: _targets(there[task]) for task in JOINT_TASKS})
        together = joint_votes({task: said[f"{task}/vote"] for task in JOINT_TASKS})
        by_fold = {task: _folds(task, said) for task in JOINT_TASKS}
        shared = sorted(set.intersection(*(set(folds) for folds in by_fold.values())))
        folds = [joint_votes({task: by_fold[task][fold] for task in JOINT_TASKS}) for fold in shared]
        found[JOINT] = held_out(METRICS["macro_f1"], truth, _persons(there["mask"]), together, folds)
    return found


def promise(estimate: Estimate, metric: Metric) -> PromiseSpec:
    """Return an estimate as a bundle's manifest holds it, in values that people read and inside the metric's range."""
    low, high = sorted(metric.shown(score) for score in estimate.interval)
    least, most = metric.range
    return PromiseSpec(
        metric=metric.name,
        score=float(np.clip(metric.shown(estimate.combined.value), least, most)),
        low=max(low, least),
        high=min(high, most),
        level=LEVEL,
    )


def _targets(one: Chosen) -> npt.NDArray[np.int64]:
    return one.candidates.holdout["target"].to_numpy()


def _persons(one: Chosen) -> npt.NDArray[np.str_]:
    return one.candidates.holdout["person"].to_numpy(str)


def _folds(task: str, said: HoldoutVotes) -> dict[int, Probabilities]:
    """Return what the models of each fold vote together, by fold."""
    names = [name for name in said if name.startswith(f"{task}/fold/")]
    return dict(sorted((int(name.rpartition("/")[2]), said[name]) for name in names))
