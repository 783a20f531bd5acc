"""A climb without Ray: from where the trial folder says a trial stands, one fold-epoch a step, to a rung."""

import time
import traceback
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tensorboardX import SummaryWriter

from trainables.config import TrainConfig
from trainables.devices import Resources, place
from trainables.fold_data import FoldData, load_fold_data
from trainables.fold_learner import FoldLearner, NotFinite
from trainables.manifest import EpochLine, FolderError, Manifest
from trainables.metrics import Probabilities, macro_f1
from trainables.predictions import FoldPredictions
from trainables.trial_folder import Superseded, TrialFolder


@cache
def shared_fold_data(study: Path) -> FoldData:
    """Return a study's data, loaded once per process."""
    return load_fold_data(study)


class Climber:
    """Takes one trial to its rung."""

    def __init__(
        self, study: Path, trial: int, rung: int, attempt: int, configuration: dict[str, Any], resources: Resources
    ) -> None:
        self.trial, self.rung = trial, rung
        self._config = TrainConfig(**configuration)
        self._data = shared_fold_data(study)
        self._placement = place(self._config, resources)
        self._folder = TrialFolder(study, trial)
        self._folder.claim(attempt)
        self._manifest = self._folder.manifest() or Manifest(
            trial=trial,
            configuration=configuration,
            digest=self._config.digest,
            folds=self._data.fold_count,
            epochs=self._config.epochs,
        )
        if self._manifest.digest != self._config.digest:
            raise FolderError(f"{self._folder.path}: holds another configuration; move it aside to train this one")
        self._earlier = [self._folder.load_predictions(fold) for fold in range(self._manifest.finished_folds)]
        self._learner: FoldLearner | None = None
        self._scalars = SummaryWriter(str(self._folder.path / "tensorboard"))

    @property
    def position(self) -> tuple[int, int]:
        """Return the fold and the epoch that come next, both counted from 0."""
        return divmod(len(self._manifest.curve), self._config.epochs)

    def step(self) -> dict[str, Any]:
        """Train, judge and save one fold-epoch; a failure comes back as a result, never as an exception.

        A trial that stands at its rung already (its last report was lost) reports where it stands.
        """
        if len(self._manifest.curve) >= self.rung:
            return self._result(self._manifest.curve[-1])
        try:
            return self._step()
        except Exception as error:
            self._folder.path.joinpath("failure.txt").write_text(traceback.format_exc(), encoding="utf-8")
            return failure_result(self.trial, error)

    def close(self) -> None:
        """Let go of model and log."""
        self._learner = None
        self._scalars.close()

    def _step(self) -> dict[str, Any]:
        started = time.perf_counter()
        fold, epoch = self.position
        learner = self._learner = self._learner or self._make_learner(fold)
        outcome = learner.train_epoch(epoch)
        probabilities = learner.predict_validation()
        predictions = self._predictions(fold, probabilities)
        line = EpochLine(
            fold=fold,
            epoch=epoch,
            score=self._pooled_score(predictions),
            fold_score=macro_f1(predictions.targets, probabilities),
            loss=outcome.loss,
            learning_rate=outcome.learning_rate,
            images_per_second=outcome.images_per_second,
            seconds=time.perf_counter() - started,
            time=time.time(),
        )
        self._save(line, learner, predictions)
        return self._result(line)

    def _make_learner(self, fold: int) -> FoldLearner:
        learner = FoldLearner(self._config, self._data, self.trial, fold, self._placement)
        if self._manifest.resume is not None:
            learner.load_state(self._folder.load_resume(self._manifest))
        return learner

    def _predictions(self, fold: int, probabilities: Probabilities) -> FoldPredictions:
        held_out = self._data.validation(fold)
        return FoldPredictions(
            ids=self._data.ids[held_out], targets=self._data.targets[held_out], probabilities=probabilities
        )

    def _pooled_score(self, current: FoldPredictions) -> float:
        folds = [*self._earlier, current]
        return macro_f1(
            np.concatenate([one.targets for one in folds]), np.concatenate([one.probabilities for one in folds])
        )

    def _save(self, line: EpochLine, learner: FoldLearner, predictions: FoldPredictions) -> None:
        grown = self._manifest.model_copy(update={"curve": (*self._manifest.curve, line)})
        if line.epoch + 1 < self._config.epochs:
            self._manifest = self._folder.save_epoch(grown, learner.state())
        else:
            self._manifest = self._folder.save_fold(grown, learner.weights(), predictions)
            self._earlier.append(predictions)
            self._learner = None

    def _result(self, line: EpochLine) -> dict[str, Any]:
        fold_epochs = len(self._manifest.curve)
        scalars = line.model_dump(exclude={"time"})
        for name in ("score", "fold_score", "loss", "learning_rate", "images_per_second"):
            self._scalars.add_scalar(name, scalars[name], fold_epochs)
        return {**scalars, "trial": self.trial, "fold_epochs": fold_epochs, "done": fold_epochs >= self.rung}


def failure_result(trial: int, error: Exception) -> dict[str, Any]:
    """Return the result of a climb that failed: the failure's class and its reason."""
    advice = ""
    match error:
        case NotFinite():
            failure = "not_finite"
        case torch.cuda.OutOfMemoryError():
            failure, advice = "out_of_memory", "; lower batch_size or --trials-per-gpu"
        case Superseded():
            failure = "superseded"
        case _:
            failure = "error"
    told = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return {"failure": failure, "reason": told + advice, "trial": trial, "done": True}
