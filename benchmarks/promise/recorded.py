"""A recorded study as an export sees it: the pool of its finalists, the rung before them, and fresh persons."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.promise.record import file_of
from benchmarks.promise.studies import FOLDS, SmallStudy, fresh_pictures, pictures
from benchmarks.recording import METRIC
from trainables.training.images.fold_data import FoldData
from voting.ensemble.fit import Ensemble
from voting.ensemble.tasks import Tasks
from voting.out_of_fold.eliminations import Rung
from voting.out_of_fold.objective import OwnMetric, Rows
from voting.out_of_fold.pool import Pool
from voting.promise.holdout import Held, held_out
from voting.rules.vote import Rule

Votes = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RecordedStudy:
    """What the finalists of a study said, of their own persons and of fresh ones."""

    study: SmallStudy
    tasks: Tasks
    fresh: FoldData
    said_of_fresh: Votes  # finalists x folds x images x classes

    @property
    def pool(self) -> Pool:
        return self.tasks.pools[self.study.task]

    def truth(self, ensemble: Ensemble, rows: Rows) -> float:
        """Return what an ensemble, with the models of all folds, scores on some of the fresh pictures."""
        return self._score(ensemble, self.said_of_fresh.mean(axis=1), rows)

    def of_one_fold(self, ensemble: Ensemble, rows: Rows) -> list[float]:
        """Return what it scores there with the models of each fold alone."""
        return [self._score(ensemble, self.said_of_fresh[:, fold], rows) for fold in range(FOLDS)]

    def holdout(self, ensemble: Ensemble, persons: Rows) -> Held:
        """Return what some fresh persons say as a holdout."""
        rows = self.rows_of(persons)
        fold_votes = [self._votes(ensemble, self.said_of_fresh[:, fold], rows) for fold in range(FOLDS)]
        votes = self._votes(ensemble, self.said_of_fresh.mean(axis=1), rows)
        return held_out(METRIC, self.fresh.targets[rows], self.fresh.persons[rows].astype(str), votes, fold_votes)

    def rows_of(self, persons: Rows) -> Rows:
        """Return the rows of fresh persons."""
        return np.flatnonzero(np.isin(self.fresh.persons, persons))

    def redrawn(self, persons: Rows, generator: np.random.Generator) -> "RecordedStudy":
        """Return the same finalists as if fresh persons had been the study's, each judged by the model of one fold."""
        dealt = generator.permutation(len(persons)) % FOLDS
        rows = self.rows_of(persons)
        numbers = np.searchsorted(np.sort(persons), self.fresh.persons[rows])
        folds = dealt[numbers]
        said = np.stack([self.said_of_fresh[:, fold, row] for fold, row in zip(folds, rows, strict=True)], axis=1)
        targets = self.fresh.targets[rows]
        pool = Pool(said, targets, numbers, folds, OwnMetric(METRIC, targets), Rule())
        return replace(self, tasks=Tasks({self.study.task: pool}, len(persons)))

    def _votes(self, ensemble: Ensemble, said: Votes, rows: Rows) -> Votes:
        together = np.tensordot(ensemble.weights, said[:, rows], axes=1)
        return ensemble.decision.decided(together).astype(np.float32)

    def _score(self, ensemble: Ensemble, said: Votes, rows: Rows) -> float:
        return METRIC.score(self.fresh.targets[rows], self._votes(ensemble, said, rows))


def read_study(out: Path, study: SmallStudy) -> RecordedStudy:
    """Return a recorded study."""
    data, fresh = pictures(study), fresh_pictures(study.task)
    with np.load(file_of(out, study), allow_pickle=False) as arrays:
        said, looks, candidates = arrays["said"].astype(np.float32), arrays["looks"], arrays["candidates"]
        said_of_fresh = arrays["fresh"].astype(np.float32)
    objective = OwnMetric(METRIC, data.targets)
    pool = Pool(said, data.targets, data.persons, data.folds, objective, Rule())
    first = data.validation(0)
    went_on = int((candidates >= 0).sum())
    rung = Rung(looks.astype(np.float32), candidates, went_on, data.targets[first], data.persons[first], METRIC)
    tasks = Tasks({study.task: pool}, len(np.unique(data.persons)), {study.task: [rung]})
    return RecordedStudy(study, tasks, fresh, said_of_fresh)
