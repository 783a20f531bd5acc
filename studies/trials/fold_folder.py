"""The folder of one fold of a trial, as one attempt writes it; its manifest is written last and says what is complete.

A file counts only if the manifest names it. Everything is written under a temporary name and renamed, so
a kill at any moment leaves the folder as of the last finished epoch. No pickle.
"""

import logging
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor

from storage.atomic import make_folder, write_file
from storage.free_space import check_free_space
from storage.outage import of_storage
from storage.tensors import load_state, save_state
from studies.metrics import Probabilities
from studies.trials.attempts import Attempt, attempt_path, read_attempt
from studies.trials.looks import look_name, save_look
from studies.trials.manifest import (
    FolderError,
    FoldManifest,
    TrialManifest,
    fold_path,
    sha256_of,
    trial_path,
    weights_name,
)
from studies.trials.predictions import FoldPredictions, predictions_name
from studies.trials.stored_trial import read_trial

logger = logging.getLogger(__name__)


class Superseded(RuntimeError):
    """A newer attempt has taken the fold over: this one must not write any more."""


class FoldFolder:
    """The files of one fold."""

    def __init__(self, study: Path, trial: int, fold: int) -> None:
        self.path = fold_path(study, trial, fold)
        self.study, self.trial, self.fold = study, trial, fold
        self._claimed = Attempt(0)
        self._begun_from: str | None = None  # a state of the former layout lies beside the folders of the folds

    @of_storage()
    def claim(self, attempt: Attempt) -> None:
        """Take the fold over: an older attempt that still runs finds out before it renames anything.

        Raises:
            Superseded: a newer attempt has the fold, or one of the same number of another launch.
        """
        make_folder(self.path)
        newest = read_attempt(self.study, self.trial, self.fold)
        if attempt.yields_to(newest):
            raise self._superseded(attempt, newest)
        for torn in self.path.rglob(".*.torn"):
            torn.unlink(missing_ok=True)
        self._claimed = newest
        file = attempt_path(self.study, self.trial, self.fold)
        self._put(file, lambda temporary: temporary.write_text(attempt.spelled(), encoding="utf-8"))
        self._claimed = attempt

    @of_storage()
    def open(self, manifest: TrialManifest) -> FoldManifest:
        """Return what the fold's folder holds; a trial that sets out has its manifest written.

        Raises:
            FolderError: the folder is damaged, or another configuration's.
        """
        stored = read_trial(self.study, self.trial)
        path = trial_path(self.study, self.trial) / "manifest.json"
        if stored is None:
            self._put(
                path, lambda temporary: temporary.write_text(manifest.model_dump_json(indent=1), encoding="utf-8")
            )
        elif stored.digest != manifest.digest:
            raise FolderError(f"{path.parent}: holds another configuration; move it aside to train this one")
        begun = None if stored is None else stored.parts.get(self.fold)
        self._begun_from = None if begun is None else begun.resume
        return begun or FoldManifest(trial=self.trial, fold=self.fold, epochs=manifest.epochs, digest=manifest.digest)

    @of_storage()
    def is_as(self, manifest: FoldManifest) -> bool:
        """Tell whether the folder still holds what a manifest says."""
        stored = read_trial(self.study, self.trial)
        return stored is not None and stored.parts.get(self.fold) == manifest

    def put_state(self, epochs: int, state: Any) -> str:
        """Write the state after so many epochs; it counts once the manifest has been saved. Return its name."""
        name = f"fold_{self.fold}/resume/{epochs}.safetensors"
        self._put(self._place(name), lambda temporary: save_state(state, temporary))
        return name

    def save_epoch(self, manifest: FoldManifest, state: str) -> FoldManifest:
        """Save an epoch before the fold's last, whose state has been written under this name: the manifest comes last."""
        return self._conclude(manifest.model_copy(update={"resume": state}))

    def save_fold(
        self, manifest: FoldManifest, weights: dict[str, Tensor], predictions: FoldPredictions
    ) -> FoldManifest:
        """Save the fold's last epoch: weights and out-of-fold predictions first, the manifest last."""
        manifest = self._put_file(manifest, weights_name(self.fold), partial(save_state, weights))
        manifest = self._put_file(manifest, predictions_name(self.fold), predictions.save)
        return self._conclude(manifest.model_copy(update={"resume": None}))

    def put_look(self, manifest: FoldManifest, probabilities: Probabilities) -> FoldManifest:
        """Write what the fold predicts where its climb rests; it counts once the manifest has been saved."""
        name = look_name(self.fold, manifest.trained)
        return self._put_file(manifest, name, lambda temporary: save_look(temporary, self.fold, probabilities))

    @of_storage()
    def load_resume(self, manifest: FoldManifest) -> Any | None:
        """Return the state to go on from, None if there is none, or it is damaged."""
        if manifest.resume is None or not (path := self._place(manifest.resume)).is_file():
            return None
        try:
            return load_state(path)
        except (SafetensorError, ValueError, KeyError) as error:
            logger.warning("%s: is damaged (%s); the fold is trained again up to there", path, error)
            return None

    @of_storage()
    def sweep(self, manifest: FoldManifest) -> None:
        """Delete the states that a manifest does not name, if the fold is still ours."""
        if read_attempt(self.study, self.trial, self.fold) != self._claimed:
            return
        wanted = manifest.resume and Path(manifest.resume).name
        for old in (self.path / "resume").glob("[!.]*"):
            if old.name != wanted:
                old.unlink(missing_ok=True)
        if self._begun_from is not None and self._begun_from != manifest.resume:
            self._place(self._begun_from).unlink(missing_ok=True)

    def _place(self, name: str) -> Path:
        return trial_path(self.study, self.trial) / name

    def _put_file(self, manifest: FoldManifest, name: str, write: Callable[[Path], object]) -> FoldManifest:
        self._put(self._place(name), write)
        return manifest.model_copy(update={"files": {**manifest.files, name: sha256_of(self._place(name))}})

    def _conclude(self, manifest: FoldManifest) -> FoldManifest:
        text = manifest.model_dump_json(indent=1)
        self._put(self.path / "manifest.json", lambda temporary: temporary.write_text(text, encoding="utf-8"))
        self.sweep(manifest)
        return manifest

    @of_storage()
    def _put(self, path: Path, write: Callable[[Path], object]) -> None:
        """Write a file under a temporary name, wait for the disk, and rename it if the fold is still ours."""
        make_folder(path.parent)
        check_free_space(path.parent)
        write_file(path, path.with_name(f".{path.name}.{os.getpid()}.torn"), write, self._check_still_ours)

    def _check_still_ours(self) -> None:
        newest = read_attempt(self.study, self.trial, self.fold)
        if newest != self._claimed:
            raise self._superseded(self._claimed, newest)

    def _superseded(self, ours: Attempt, newest: Attempt) -> Superseded:
        place = f"trial {self.trial} fold {self.fold}"
        return Superseded(f"{place}: attempt {ours.spelled()} was taken over by attempt {newest.spelled()}")
