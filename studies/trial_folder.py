"""The trial folder: what one trial has to show, and a manifest that is written last and says what is complete.

A file counts only if the manifest names it. Everything is written under a temporary name and renamed, so
a kill at any moment leaves the folder as of the last finished epoch. No pickle.
"""

import json
import logging
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor

from storage.atomic import make_folder, write_file
from storage.free_space import check_free_space
from storage.tensors import load_state, save_state
from studies.looks import Looks, look_name, save_look
from studies.manifest import THRESHOLDS, Manifest, read_attempt, read_manifest, sha256_of, trial_path, weights_name
from studies.predictions import FoldPredictions, predictions_name, read_predictions

logger = logging.getLogger(__name__)


class Superseded(RuntimeError):
    """A newer attempt has taken the trial over: this one must not write any more."""


class TrialFolder:
    """The files of one trial, as one attempt writes them."""

    def __init__(self, study: Path, trial: int) -> None:
        self.path = trial_path(study, trial)
        self.study, self.trial = study, trial
        self._claimed = 0

    def claim(self, attempt: int) -> None:
        """Take the trial over: an older attempt that still runs finds out before it renames anything.

        Raises:
            Superseded: a newer attempt has the trial.
        """
        make_folder(self.path)
        newest = read_attempt(self.study, self.trial)
        if attempt < newest:
            raise Superseded(f"trial {self.trial}: attempt {attempt} was taken over by attempt {newest}")
        for torn in self.path.rglob(".*.torn"):
            torn.unlink(missing_ok=True)
        self._claimed = newest
        self._put("attempt", lambda temporary: temporary.write_text(str(attempt)))
        self._claimed = attempt

    def manifest(self) -> Manifest | None:
        """Return the manifest, None for a trial that has not finished an epoch."""
        return read_manifest(self.study, self.trial)

    def put_state(self, fold_epochs: int, state: Any) -> str:
        """Write the state after so many fold-epochs; it counts once the manifest has been saved. Return its name."""
        name = f"resume/{fold_epochs}.safetensors"
        self._put(name, lambda temporary: save_state(state, temporary))
        return name

    def save_epoch(self, manifest: Manifest, state: str) -> Manifest:
        """Save an epoch in the middle of a fold, whose state has been written under this name: the manifest comes last."""
        fold = manifest.curve[-1].fold
        return self._conclude(manifest.model_copy(update={"resume": {**manifest.resume, fold: state}}))

    def save_fold(self, manifest: Manifest, weights: dict[str, Tensor], predictions: FoldPredictions) -> Manifest:
        """Save the last epoch of a fold: weights and out-of-fold predictions first, the manifest last."""
        fold = manifest.curve[-1].fold
        manifest = self.put_weights(manifest, fold, weights)
        manifest = self._put_file(manifest, predictions_name(fold), predictions.save)
        unfinished = {other: name for other, name in manifest.resume.items() if other != fold}
        return self._conclude(manifest.model_copy(update={"resume": unfinished}))

    def put_thresholds(self, manifest: Manifest, thresholds: Sequence[float]) -> Manifest:
        """Write the numbers at which classes begin for the trial's vote; they count once the manifest has been saved."""
        text = json.dumps(list(thresholds))
        return self._put_file(manifest, THRESHOLDS, lambda temporary: temporary.write_text(text, encoding="utf-8"))

    def put_look(self, manifest: Manifest, fold_epochs: int, looks: Looks) -> Manifest:
        """Write what the trial says about unfinished folds where it rests; it counts once the manifest has been saved."""
        return self._put_file(manifest, look_name(fold_epochs), lambda temporary: save_look(temporary, looks))

    def put_weights(self, manifest: Manifest, fold: int, weights: dict[str, Tensor]) -> Manifest:
        """Write the weights of a finished fold; they count once the manifest that is returned has been saved."""
        return self._put_file(manifest, weights_name(fold), partial(save_state, weights))

    def load_resume(self, manifest: Manifest, fold: int) -> Any | None:
        """Return the state of an unfinished fold, None if there is none to go on from, or it is damaged."""
        path = self.path / manifest.resume.get(fold, "none")
        try:
            return load_state(path) if path.is_file() else None
        except (SafetensorError, ValueError, KeyError) as error:
            logger.warning("%s: is damaged (%s); fold %d is trained again up to there", path, error, fold)
            return None

    def load_predictions(self, fold: int) -> FoldPredictions:
        """Return the out-of-fold predictions of a finished fold."""
        return read_predictions(self.study, self.trial, fold)

    def sweep(self, manifest: Manifest) -> None:
        """Delete the states that a manifest does not name, if the trial is still ours."""
        if read_attempt(self.study, self.trial) != self._claimed:
            return
        wanted = {Path(name).name for name in manifest.resume.values()}
        for old in (self.path / "resume").glob("[!.]*"):
            if old.name not in wanted:
                old.unlink(missing_ok=True)

    def _put_file(self, manifest: Manifest, name: str, write: Callable[[Path], object]) -> Manifest:
        self._put(name, write)
        return manifest.model_copy(update={"files": {**manifest.files, name: sha256_of(self.path / name)}})

    def _conclude(self, manifest: Manifest) -> Manifest:
        self._put("manifest.json", lambda temporary: temporary.write_text(manifest.model_dump_json(indent=1)))
        self.sweep(manifest)
        return manifest

    def _put(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file under a temporary name, wait for the disk, and rename it if the trial is still ours."""
        path = self.path / name
        make_folder(path.parent)
        check_free_space(path.parent)
        write_file(path, path.with_name(f".{path.name}.{os.getpid()}.torn"), write, self._check_still_ours)

    def _check_still_ours(self) -> None:
        newest = read_attempt(self.study, self.trial)
        if newest != self._claimed:
            raise Superseded(f"trial {self.trial}: attempt {self._claimed} was taken over by attempt {newest}")
