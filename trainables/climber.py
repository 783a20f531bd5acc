"""A climb without Ray: one fold of one trial, from where its folder says it stands, an epoch a step, to an epoch."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from storage.outage import of_storage
from studies.metrics import METRICS
from studies.record.events import EpochScored
from studies.trials.climb_order import ClimbOrder
from studies.trials.fold_folder import FoldFolder
from studies.trials.manifest import FoldManifest, TrialManifest
from studies.trials.predictions import FoldPredictions
from trainables.climb_failures import failure_result
from trainables.config import configured
from trainables.training.classifier import Judged
from trainables.training.devices import Resources, peak_memory, place
from trainables.training.fold_learner import EpochOutcome, FoldLearner
from trainables.training.heads.tuning import counted_probabilities
from trainables.training.images.fold_data import FoldData, load_fold_data
from trainables.training.stopwatch import Stopwatch


@cache
def shared_fold_data(study: Path) -> FoldData:
    """Return a study's data, loaded once per process."""
    with of_storage():
        return load_fold_data(study)


class Climber:
    """Takes one fold of one trial to an epoch.

    A fold that has all its epochs but whose weights were dropped is trained again from its beginning: its weights and predictions
    are replaced at the end.
    """

    def __init__(self, study: Path, order: ClimbOrder, resources: Resources) -> None:
        self._order = order
        self._config = configured(order.configuration)
        self._metric = METRICS[order.metric]
        self._data = shared_fold_data(study)
        self._placement = place(self._config, resources, order.precision)
        self._folder = FoldFolder(study, order.trial, order.fold)
        self._folder.claim(order.claim)
        self._manifest = self._folder.open(
            TrialManifest(
                trial=order.trial,
                configuration=order.configuration,
                digest=self._config.digest,
                folds=self._data.fold_count,
                epochs=self._config.epochs,
            )
        )
        self._learner: FoldLearner | None = None
        self._trained_again = 0  # epochs of a finished fold whose weights were dropped
        self._broken = False  # a step failed: what is in memory is ahead of the folder
        self._writer = ThreadPoolExecutor(1)

    @property
    def position(self) -> tuple[int, int]:
        """Return the fold and the epoch that come next, both counted from 0."""
        return self._order.fold, self._trained_again if self._manifest.is_finished else self._manifest.trained

    @property
    def has_arrived(self) -> bool:
        """Tell whether the fold stands where the climb is bound."""
        return self._manifest.trained >= self._order.epoch and not self._lacks_weights

    @property
    def _lacks_weights(self) -> bool:
        return self._manifest.is_finished and not self._manifest.has_weights

    def takes_up(self, order: ClimbOrder) -> bool:
        """Go on with the next climb of the same fold, its model as it is; False if a climber must be made anew.

        Raises:
            Superseded: a newer attempt has the fold.
        """
        ours = self._order
        same = replace(order, epoch=ours.epoch, attempt=ours.attempt, launch=ours.launch) == ours
        if not same or self._broken:
            return False
        self._folder.claim(order.claim)
        # another process may have gone on with it, or the disk budget taken something
        if not self._folder.is_as(self._manifest):
            return False
        self._order = order
        return True

    def step(self) -> dict[str, Any]:
        """Train, judge and save one fold-epoch; a failure comes back as a result, never as an exception.

        A fold that stands where it is bound already (its last report was lost) reports where it stands.
        """
        if self.has_arrived:
            return self._result(self._manifest.curve[-1])
        try:
            return self._train_again() if self._manifest.is_finished else self._step()
        except Exception as error:
            self._broken = True
            self.close()
            with suppress(OSError):
                self._folder.sweep(self._manifest)  # a state that has been written belongs to no epoch
            return failure_result(self._folder.path.parent, error)

    def close(self) -> None:
        """Let go of the model, its processes, and the log."""
        if self._learner is not None:
            self._learner.close()
        self._learner = None
        self._writer.shutdown()

    def _step(self) -> dict[str, Any]:
        watch, epoch = Stopwatch(), self._manifest.trained
        with watch.phase("prepare"):
            learner = self._resumed()
        with watch.phase("train"):
            outcome = learner.train_epoch(epoch)
        watch.add("wait_input", outcome.waited)
        watch.add("device", outcome.device_seconds)
        unfinished, chooses = epoch + 1 < self._config.epochs, self._config.kept_weights == "best"
        state = self._writer.submit(self._write_state, learner, watch) if unfinished and not chooses else None
        # meanwhile the state is written: unless an epoch is chosen, judging changes none of it
        with watch.phase("judge"):
            predictions = self._predictions(learner.judge_epoch(self._score, last=not unfinished))
            line = self._line(epoch, outcome, predictions, watch)
        with watch.phase("save"):
            if unfinished and chooses:
                state = self._writer.submit(self._write_state, learner, watch)
            self._save(line, predictions, state)
        return {**self._result(line), "phases": watch.rounded()}

    def _line(self, epoch: int, outcome: EpochOutcome, predictions: FoldPredictions, watch: Stopwatch) -> EpochScored:
        held, reserved = peak_memory(self._placement.device)
        return EpochScored(
            time=time.time(),
            trial=self._order.trial,
            fold=self._order.fold,
            epoch=epoch,
            score=self._metric.score(predictions.targets, predictions.probabilities),
            loss=outcome.loss,
            learning_rate=outcome.learning_rate,
            images_per_second=outcome.images_per_second,
            gpu_memory=held,
            gpu_reserved=reserved,
            precision=self._placement.precision,
            seconds=watch.total,
            phases=watch.rounded(),
        )

    def _train_again(self) -> dict[str, Any]:
        """Train one more epoch of a finished fold again; the last replaces its weights and predictions."""
        if self._learner is None:
            self._learner = self._fresh()
        self._learner.train_epoch(self._trained_again)
        self._trained_again += 1
        last = self._trained_again == self._config.epochs
        if last or self._config.kept_weights == "best":
            judged = self._learner.judge_epoch(self._score, last=last)
        if not last:
            return {"trial": self._order.trial, "fold": self._order.fold, "done": False}
        predictions = self._predictions(judged)
        score = self._metric.score(predictions.targets, predictions.probabilities)
        curve = (*self._manifest.curve[:-1], self._manifest.curve[-1].model_copy(update={"score": score}))
        self._finish(self._manifest.model_copy(update={"curve": curve}), predictions)
        return {**self._result(self._manifest.curve[-1]), "replaced": True}

    def _resumed(self) -> FoldLearner:
        """Return the fold's learner as it stands; epochs whose state was dropped are trained again, to the same digit."""
        if self._learner is None:
            self._learner = self._fresh()
            state = self._folder.load_resume(self._manifest)
            if state is not None:
                self._learner.load_state(state)
            else:
                self._catch_up(self._learner)
        return self._learner

    def _fresh(self) -> FoldLearner:
        order = self._order
        parts = order.micro_batches
        return FoldLearner(self._config, self._data, order.trial, order.fold, self._placement, micro_batches=parts)

    def _catch_up(self, learner: FoldLearner) -> None:
        """Train the epochs again that the manifest has; where the best is kept, every epoch is judged again."""
        for epoch in range(self._manifest.trained):
            learner.train_epoch(epoch)
            if self._config.kept_weights == "best":
                learner.judge_epoch(self._score, last=False)

    def _score(self, judged: Judged) -> float:
        predictions = self._predictions(judged)
        return self._metric.score(predictions.targets, predictions.probabilities)

    def _predictions(self, judged: Judged) -> FoldPredictions:
        held_out = self._data.validation(self._order.fold)
        return FoldPredictions(
            ids=self._data.ids[held_out],
            targets=self._data.targets[held_out],
            probabilities=counted_probabilities(self._config, self._data, self._order.fold, judged, self._metric),
            numbers=judged.numbers,
        )

    def _write_state(self, learner: FoldLearner, watch: Stopwatch) -> str:
        with watch.phase("write"):
            return self._folder.put_state(self._manifest.trained + 1, learner.state())

    def _save(self, line: EpochScored, predictions: FoldPredictions, state: Future[str] | None) -> None:
        grown = self._manifest.model_copy(update={"curve": (*self._manifest.curve, line)})
        if state is None:
            self._finish(grown, predictions)
            return
        if grown.trained >= self._order.epoch:
            grown = self._folder.put_look(grown, predictions.probabilities)
        self._manifest = self._folder.save_epoch(grown, state.result())

    def _finish(self, manifest: FoldManifest, predictions: FoldPredictions) -> None:
        assert self._learner is not None, "it has just been trained"
        self._manifest = self._folder.save_fold(manifest, self._learner.weights(), predictions)
        self._learner.close()
        self._learner = None

    def _result(self, line: EpochScored) -> dict[str, Any]:
        scalars = line.model_dump(exclude={"time", "elapsed", "event"})
        return {**scalars, "epochs": self._manifest.trained, "done": self._manifest.trained >= self._order.epoch}
