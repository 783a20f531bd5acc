"""A climb without Ray: from where the trial folder says a trial stands, one fold-epoch a step, to a rung."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from studies.climb_order import ClimbOrder
from studies.events import EpochScored
from studies.manifest import FolderError, Manifest, weights_name
from studies.metrics import METRICS
from studies.predictions import FoldPredictions
from studies.trial_folder import TrialFolder
from trainables.climb_failures import failure_result
from trainables.config import configured
from trainables.training.classifier import Judged
from trainables.training.devices import Resources, peak_memory, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.heads.tuning import counted_probabilities, final_thresholds, tunes_thresholds
from trainables.training.images.fold_data import FoldData, load_fold_data
from trainables.training.stopwatch import Stopwatch


@cache
def shared_fold_data(study: Path) -> FoldData:
    """Return a study's data, loaded once per process."""
    return load_fold_data(study)


class Climber:
    """Takes one trial to its rung."""

    def __init__(self, study: Path, order: ClimbOrder, resources: Resources) -> None:
        self.trial, self.rung = order.trial, order.rung
        self._order = order
        self._config = configured(order.configuration)
        self._metric = METRICS[order.metric]
        self._data = shared_fold_data(study)
        self._placement = place(self._config, resources)
        self._folder = TrialFolder(study, order.trial)
        self._folder.claim(order.attempt)
        self._manifest = self._folder.manifest() or Manifest(
            trial=order.trial,
            configuration=order.configuration,
            digest=self._config.digest,
            folds=self._data.fold_count,
            epochs=self._config.epochs,
        )
        if self._manifest.digest != self._config.digest:
            raise FolderError(f"{self._folder.path}: holds another configuration; move it aside to train this one")
        self._learners: dict[int, FoldLearner] = {}
        self._broken = False  # a step failed: what is in memory is ahead of the folder
        self._writer = ThreadPoolExecutor(1)
        self._predicted = {fold: self._folder.load_predictions(fold) for fold in range(self._manifest.finished_folds)}

    @property
    def position(self) -> tuple[int, int]:
        """Return the fold and the epoch that come next, both counted from 0."""
        done = [self._manifest.epochs_of(fold) for fold in range(self._manifest.folds)]
        if self._order.fold_order == "lockstep":
            fold = done.index(min(done))
        else:
            fold = next(fold for fold, epochs in enumerate(done) if epochs < self._config.epochs)
        return fold, done[fold]

    @property
    def at_rung(self) -> bool:
        return len(self._manifest.curve) >= self.rung

    def takes_up(self, order: ClimbOrder) -> bool:
        """Go on with the next climb of the same trial, its models as they are; False if a climber must be made anew.

        Raises:
            Superseded: a newer attempt has the trial.
        """
        same = replace(order, rung=self.rung, attempt=self._order.attempt) == self._order
        if not same or self._broken:
            return False
        self._folder.claim(order.attempt)
        # another process may have gone on with it, or the disk budget taken something
        if self._folder.manifest() != self._manifest:
            return False
        self._order, self.rung = order, order.rung
        return True

    def step(self) -> dict[str, Any]:
        """Train, judge and save one fold-epoch; a failure comes back as a result, never as an exception.

        A trial that stands at its rung already (its last report was lost) reports where it stands.
        """
        if self.at_rung:
            return self._result(self._manifest.curve[-1])
        try:
            return self._step()
        except Exception as error:
            self._broken = True
            self.close()
            with suppress(OSError):
                self._folder.sweep(self._manifest)  # a state that has been written belongs to no epoch
            return failure_result(self._folder.path, error)

    def close(self) -> None:
        """Let go of models, their processes, and the log."""
        for learner in self._learners.values():
            learner.close()
        self._learners.clear()
        self._writer.shutdown()

    def _step(self) -> dict[str, Any]:
        watch = Stopwatch()
        fold, epoch = self.position
        with watch.phase("prepare"):
            learner = self._learner(fold)
        with watch.phase("train"):
            outcome = learner.train_epoch(epoch)
        unfinished, chooses = epoch + 1 < self._config.epochs, self._config.kept_weights == "best"
        state = self._writer.submit(self._write_state, learner, watch) if unfinished and not chooses else None
        with watch.phase(
            "judge"
        ):  # meanwhile the state is written: unless an epoch is chosen, judging changes none of it
            for begun in {line.fold for line in self._manifest.curve} - self._predicted.keys():
                again = self._learner(begun).judge_validation()  # in lockstep, after a new start
                self._predicted[begun] = self._predictions(begun, again)
            judged = learner.judge_epoch(partial(self._score, fold))
            self._predicted[fold] = self._predictions(fold, judged)
            line = EpochScored(
                time=time.time(),
                trial=self.trial,
                fold=fold,
                epoch=epoch,
                score=self._pooled_score(),
                fold_score=self._metric.score(self._predicted[fold].targets, self._predicted[fold].probabilities),
                loss=outcome.loss,
                learning_rate=outcome.learning_rate,
                images_per_second=outcome.images_per_second,
                gpu_memory=peak_memory(self._placement.device),
                seconds=watch.total,
                phases=watch.rounded(),
            )
        with watch.phase("save"):
            if unfinished and chooses:
                state = self._writer.submit(self._write_state, learner, watch)
            self._save(line, state)
        return {**self._result(line), "phases": watch.rounded()}

    def _learner(self, fold: int) -> FoldLearner:
        """Return the learner of a fold as it stands; epochs whose state was dropped are trained again, to the same digit."""
        if fold not in self._learners:
            learner = FoldLearner(self._config, self._data, self.trial, fold, self._placement)
            state = self._folder.load_resume(self._manifest, fold)
            if state is not None:
                learner.load_state(state)
            else:
                self._train_again(learner, fold, self._manifest.epochs_of(fold))
            self._learners[fold] = learner
        return self._learners[fold]

    def _train_again(self, learner: FoldLearner, fold: int, epochs: int) -> None:
        """Train epochs whose state or weights were dropped; who keeps the best epoch judges each of them once more."""
        for epoch in range(epochs):
            learner.train_epoch(epoch)
            if self._config.kept_weights == "best":
                learner.judge_epoch(partial(self._score, fold))

    def _score(self, fold: int, judged: Judged) -> float:
        predictions = self._predictions(fold, judged)
        return self._metric.score(predictions.targets, predictions.probabilities)

    def _predictions(self, fold: int, judged: Judged) -> FoldPredictions:
        held_out = self._data.validation(fold)
        probabilities = counted_probabilities(self._config, self._data, fold, judged, self._metric)
        return FoldPredictions(
            ids=self._data.ids[held_out],
            targets=self._data.targets[held_out],
            probabilities=probabilities,
            numbers=judged.numbers,
        )

    def _pooled_score(self) -> float:
        folds = [self._predicted[fold] for fold in sorted(self._predicted)]
        return self._metric.score(
            np.concatenate([one.targets for one in folds]), np.concatenate([one.probabilities for one in folds])
        )

    def _write_state(self, learner: FoldLearner, watch: Stopwatch) -> str:
        with watch.phase("write"):
            return self._folder.put_state(len(self._manifest.curve) + 1, learner.state())

    def _save(self, line: EpochScored, state: Future[str] | None) -> None:
        grown = self._manifest.model_copy(update={"curve": (*self._manifest.curve, line)})
        learner = self._learners[line.fold]
        if grown.complete:
            grown = self._with_all_weights(grown, trained=line.fold)
        if state is not None:
            self._manifest = self._folder.save_epoch(self._with_look(grown), state.result())
        else:
            if grown.complete and tunes_thresholds(self._config):
                thresholds = final_thresholds(self._config, self._data, self._predicted, self._metric)
                grown = self._folder.put_thresholds(grown, thresholds)
            self._manifest = self._folder.save_fold(grown, learner.weights(), self._predicted[line.fold])
            self._learners.pop(line.fold).close()

    def _with_look(self, manifest: Manifest) -> Manifest:
        """Keep what the trial says where its climb ends in the middle of a fold."""
        if len(manifest.curve) < self.rung:
            return manifest
        begun = {line.fold for line in manifest.curve if manifest.epochs_of(line.fold) < manifest.epochs}
        looks = {fold: self._predicted[fold].probabilities for fold in sorted(begun)}
        return self._folder.put_look(manifest, len(manifest.curve), looks)

    def _with_all_weights(self, manifest: Manifest, trained: int) -> Manifest:
        """Train the folds again whose weights a disk budget has dropped: who is complete can vote."""
        for fold in range(manifest.folds):
            if fold != trained and weights_name(fold) not in manifest.files:
                learner = FoldLearner(self._config, self._data, self.trial, fold, self._placement)
                self._train_again(learner, fold, self._config.epochs)
                manifest = self._folder.put_weights(manifest, fold, learner.weights())
                learner.close()
        return manifest

    def _result(self, line: EpochScored) -> dict[str, Any]:
        fold_epochs = len(self._manifest.curve)
        scalars = line.model_dump(exclude={"time", "event"})
        return {**scalars, "fold_epochs": fold_epochs, "done": fold_epochs >= self.rung}
