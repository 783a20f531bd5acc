"""The choice for all tasks of an export: each for its own metric, or mask, gender and age for the joint classes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from studies.metrics import confusion_of, macro_f1_of
from voting.ensemble.fit import Ensemble, Explained, Wanted, explained, fit
from voting.out_of_fold.eliminations import Rung, rows_of_draws, still_candidates
from voting.out_of_fold.objective import JointF1, Rows
from voting.out_of_fold.pool import Pool
from voting.rules.joint import JOINT, JOINT_CLASSES, JOINT_TASKS, STRIDES
from voting.selection.best import best


@dataclass(frozen=True, eq=False)
class Tasks:
    """The candidates of every task; persons are numbered alike in all of them."""

    pools: Mapping[str, Pool]
    persons: int  # how many there are
    rungs: Mapping[str, Sequence[Rung]] = field(default_factory=dict)  # on which candidates left others behind
    joint: bool = False  # mask, gender and age judged the same images: they are chosen for the joint classes

    def everyone(self) -> Rows:
        """Return every person once."""
        return np.arange(self.persons)

    def fit(self, drawn: Rows, wanted: Wanted) -> dict[str, Ensemble]:
        """Return the ensembles that these persons choose, eliminations judged again; some may be drawn twice."""
        pools = {task: self._drawn(task, drawn) for task in self.pools}
        kept = {task: still_candidates(self.rungs.get(task, ()), drawn, pool.size) for task, pool in self.pools.items()}
        few = {task: pool.only(kept[task]) for task, pool in pools.items()}
        found = {task: fit(pool, wanted) for task, pool in self.objectives(few).items()}
        return {task: _among_all(one, kept[task], self.pools[task].size) for task, one in found.items()}

    def explain(self, wanted: Wanted) -> dict[str, Explained]:
        """Return the ensembles that all persons choose, with what else was tried."""
        return {task: explained(pool, wanted) for task, pool in self.objectives(self.pools).items()}

    def scores(self, ensembles: Mapping[str, Ensemble], drawn: Rows) -> dict[str, float]:
        """Return what ensembles score on these persons, every task by its own metric, and the joint classes."""
        pools = {task: self._drawn(task, drawn) for task in self.pools}
        decided = {task: ensembles[task].decided(pool) for task, pool in pools.items()}
        scores = {task: pool.objective.score(decided[task]) for task, pool in pools.items()}
        if self.joint:
            truth = sum(STRIDES[task] * pools[task].targets for task in JOINT_TASKS)
            voted = sum(STRIDES[task] * decided[task].argmax(axis=1) for task in JOINT_TASKS)
            scores[JOINT] = macro_f1_of(confusion_of(np.asarray(truth), np.asarray(voted), JOINT_CLASSES))
        return scores

    def objectives(self, pools: Mapping[str, Pool]) -> Mapping[str, Pool]:
        """Return pools that are chosen for the joint classes, given the best trial of each other task."""
        if not self.joint:
            return pools
        voted = {task: pools[task].vote(best(pools[task], 1)).argmax(axis=1) * STRIDES[task] for task in JOINT_TASKS}
        truth = np.sum([pools[task].targets * STRIDES[task] for task in JOINT_TASKS], axis=0)
        whole = np.sum(list(voted.values()), axis=0)
        return {
            **pools,
            **{
                task: pools[task].towards(
                    JointF1(truth, whole - voted[task], STRIDES[task], pools[task].objective.of_classes)
                )
                for task in JOINT_TASKS
            },
        }

    def _drawn(self, task: str, drawn: Rows) -> Pool:
        rows, draws = rows_of_draws(self.pools[task].persons, drawn)
        return self.pools[task].take(rows).of_persons(draws)


def _among_all(ensemble: Ensemble, kept: Rows, candidates: int) -> Ensemble:
    """Return an ensemble of some candidates with weights for all of them."""
    weights = np.zeros(candidates)
    weights[kept] = ensemble.weights
    return replace(ensemble, weights=weights)
