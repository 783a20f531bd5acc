"""From the candidates of all tasks to those who vote."""

from collections.abc import Mapping, Sequence

import numpy as np

from voting.candidates.looks import rungs_of
from voting.candidates.tasks import TaskCandidates
from voting.ensemble.fit import Wanted
from voting.ensemble.members import Chosen, members_of
from voting.ensemble.tasks import Tasks
from voting.out_of_fold.eliminations import Rung
from voting.out_of_fold.objective import OwnMetric
from voting.out_of_fold.pool import Pool
from voting.rules.joint import JOINT_TASKS
from voting.rules.vote import Rule


def tasks_of(candidates: Sequence[TaskCandidates], rule: Rule) -> Tasks:
    """Return the pools of all tasks, with their persons numbered alike, and the rungs behind them."""
    names = np.unique(np.concatenate([one.samples["person"].to_numpy(str) for one in candidates]))
    numbers = {str(name): number for number, name in enumerate(names)}
    pools = {one.task: _pool(one, numbers, rule) for one in candidates}
    rungs = {one.task: _rungs(one, numbers) for one in candidates}
    return Tasks(pools, len(names), rungs, _judged_the_same(candidates))


def choose(candidates: Sequence[TaskCandidates], tasks: Tasks, wanted: Wanted, rule: Rule) -> list[Chosen]:
    """Return who votes on every task, in the order of the candidates.

    Raises:
        ValueError: the rule cannot vote by the method that is wanted.
    """
    found = tasks.explain(wanted)
    return [members_of(one, found[one.task], rule) for one in candidates]


def _pool(one: TaskCandidates, numbers: Mapping[str, int], rule: Rule) -> Pool:
    first = one.trials[0].predictions
    said = [trial.predictions.probabilities for trial in one.trials]
    return Pool(
        np.stack(said),
        first.targets,
        np.array([numbers[name] for name in one.samples["person"].to_numpy(str)]),
        one.samples["fold"].to_numpy(),
        OwnMetric(one.metric, first.targets),
        rule,
    )


def _rungs(one: TaskCandidates, numbers: Mapping[str, int]) -> list[Rung]:
    rungs, first = [], 0
    for study in one.studies:
        rungs += rungs_of(study, first, numbers)
        first += len(study.trials)
    return rungs


def _judged_the_same(candidates: Sequence[TaskCandidates]) -> bool:
    """Tell whether mask, gender and age are all there and were judged on the same images."""
    ids = {one.task: one.trials[0].predictions.ids for one in candidates}
    if not all(task in ids for task in JOINT_TASKS):
        return False
    return all(np.array_equal(ids[task], ids[JOINT_TASKS[0]]) for task in JOINT_TASKS)
