"""A study without training: climbs whose scores come from a function, the clock from fold-epochs."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from schedulers.proposal import Proposal
from schedulers.study_run import Requests, StudyRun
from search_spaces import Range, SearchSettings, SearchSpace
from storage.outage import PATIENCE
from studies.record.events import ClimbEnded, ClimbStarted, EpochScored, Event, RungReached, TrialAdded
from studies.record.record import Record
from studies.state.study_state import StudyState
from studies.trials.climb_order import ClimbOrder
from studies.trials.trial_folders import Drop, Holding

EPOCHS = 9  # of every fold
Score = Callable[[Mapping[str, Any], int], float]  # configuration, fold-epochs


def toy_space(metric: str = "macro_f1", **search: Any) -> SearchSpace:
    settings = {"sampler": "random", "trials": 12, "folds": 3, "finalists": 2, **search}
    return SearchSpace(
        name="toy",
        profile=None,
        task="toy",
        data={},
        metric=metric,
        parameters={"learning_rate": Range(low=0.0, high=1.0)},
        constants={"epochs": EPOCHS},
        defaults={"backbone": "tf_efficientnet_lite0", "image_size": 64, "epochs": EPOCHS, "learning_rate": 0.5},
        search=SearchSettings(**settings),
    )


def events_of(scores: dict[int, list[float]], origins: dict[int, str] | None = None) -> Iterator[Event]:
    """Yield the record of a study at rest: for each trial the score after each fold-epoch, one fold after the other."""
    for trial, curve in scores.items():
        origin = (origins or {}).get(trial, "tpe")
        yield TrialAdded(time=0, trial=trial, configuration={}, origin=origin)
        for fold in range(0, len(curve), EPOCHS):
            yield from climb_of(trial, fold // EPOCHS, curve[fold : fold + EPOCHS])


def climb_of(trial: int, fold: int, scores: Sequence[float]) -> Iterator[Event]:
    """Yield the record of a climb whose epochs scored so; a rung is reached after each."""
    yield ClimbStarted(time=0, trial=trial, fold=fold, epoch=len(scores), attempt=1)
    for epoch, score in enumerate(scores):
        yield EpochScored(time=0, trial=trial, fold=fold, epoch=epoch, score=score, seconds=1)
        yield RungReached(time=0, trial=trial, folds=fold + 1, epoch=epoch + 1, score=score)
    yield ClimbEnded(time=0, trial=trial, fold=fold, attempt=1, reason="rung")


def study_of(scores: dict[int, list[float]], origins: dict[int, str] | None = None) -> StudyState:
    """Return a study at rest."""
    return StudyState(events_of(scores, origins))


def peak(configuration: Mapping[str, Any], fold_epochs: int) -> float:
    """Score highest at a learning rate of 0.7; later epochs score a little more."""
    return 1 - abs(float(configuration["learning_rate"]) - 0.7) - 0.5 / (1 + fold_epochs)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class ToyFolders:
    """Folders that hold what a test says; the pooled score of folds is the mean of their last epochs in the state."""

    def __init__(self, saved: Mapping[int, list[EpochScored]], state: StudyState | None = None) -> None:
        self.saved, self._state = saved, state

    def saved_epochs(self, trial: int) -> dict[int, list[EpochScored]]:
        by_fold: dict[int, list[EpochScored]] = {}
        for epoch in self.saved.get(trial, []):
            by_fold.setdefault(epoch.fold, []).append(epoch)
        return by_fold

    def pooled_score(self, trial: int, folds: int) -> float:
        assert self._state is not None, "nothing was trained"
        return self._state.trials[trial].folds[folds - 1].epochs[-1].score

    def without_weights(self, trial: int) -> frozenset[int]:
        """Return none."""
        return frozenset()

    def left_alone(self, trial: int) -> frozenset[int]:
        """Return none."""
        return frozenset()

    def newest_attempt(self) -> int:
        return 0

    def holding(self, trial: int) -> Holding:
        return Holding(0, {})

    def other_bytes(self) -> int:
        """Return that nothing else is held."""
        return 0

    def drop(self, drop: Drop) -> None:
        raise AssertionError("nothing is held, nothing can be dropped")


class ToyDriver:
    """Runs a StudyRun's climbs one fold-epoch at a time on several slots, in an order that a seed decides."""

    def __init__(
        self,
        path: Path,
        space: SearchSpace,
        *,
        slots: int = 1,
        seed: int = 0,
        score: Score = peak,
        queue: Sequence[Proposal] = (),
        requests: Requests = tuple,
        patience: float = PATIENCE,
    ) -> None:
        self.record = Record(path)
        self.clock = Clock()
        self.run = StudyRun(
            self.record, space, slots, queue=queue, clock=self.clock, requests=requests, patience=patience
        )
        self.score = score
        self.random = random.Random(seed)
        self.slots: list[ClimbOrder | None] = [None] * slots
        self.idle = 0

    def start(self, saved: Mapping[int, list[EpochScored]] | None = None) -> "ToyDriver":
        self.run.start({}, ToyFolders({} if saved is None else saved, self.run.state))
        return self

    def tick(self) -> bool:
        """Fill the free slots, do one fold-epoch somewhere; False when the run is finished."""
        for number, order in enumerate(self.slots):
            if order is None:
                self.slots[number] = self.run.next_climb()
        busy = [number for number, order in enumerate(self.slots) if order is not None]
        self.idle += len(self.slots) - len(busy)
        if not busy:
            assert self.run.finished is not None, "nothing runs, nothing is finished: a deadlock"
            return False
        number = self.random.choice(busy)
        order = self.slots[number]
        assert order is not None
        ends = self.step(order)
        if self.run.state.trials[order.trial].epochs_of(order.fold) >= order.epoch or ends:
            self.run.end_climb(order)
            self.slots[number] = None
        return True

    def step(self, order: ClimbOrder) -> bool:
        """Do one fold-epoch; True if it is the climb's last. As Tune does: asked first, recorded then."""
        self.clock.now += 1.0 / len(self.slots)
        trial = self.run.state.trials[order.trial]
        epoch = trial.epochs_of(order.fold)
        score = self.score(order.configuration, order.fold * EPOCHS + epoch + 1)  # whatever came first
        result = {"epochs": epoch + 1, "fold": order.fold, "epoch": epoch, "seconds": 1.0}
        ends = self.run.ends_here(order, epoch + 1)
        self.run.take_epoch(order, {**result, "score": score})
        return ends

    def finish(self) -> "ToyDriver":
        while self.tick():
            pass
        self.run.close()
        self.record.close()
        return self
