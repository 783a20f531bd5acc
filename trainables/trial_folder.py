"""The trial folder: what one trial has to show, and a manifest that is written last and says what is complete.

A file counts only if the manifest names it. Everything is written under a temporary name and renamed, so
a kill at any moment leaves the folder as of the last finished epoch. No pickle.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import Tensor

from trainables.manifest import Manifest, read_manifest, sha256_of, trial_path
from trainables.predictions import FoldPredictions, read_predictions
from trainables.tensor_files import load_state, save_state


class Superseded(RuntimeError):
    """A newer attempt has taken the trial over: this one must not write any more."""


class TrialFolder:
    """The paths and the files of one trial."""

    def __init__(self, study: Path, trial: int) -> None:
        self.path = trial_path(study, trial)
        self.study, self.trial = study, trial

    def claim(self, attempt: int) -> None:
        """Take the trial over: an older attempt that still runs finds out before it renames anything."""
        self.path.mkdir(parents=True, exist_ok=True)
        if attempt < self._attempt():
            raise Superseded(f"trial {self.trial}: attempt {attempt} was taken over by attempt {self._attempt()}")
        _write(self.path / "attempt", str(attempt).encode())

    def manifest(self) -> Manifest | None:
        """Return the manifest, None for a trial that has not finished an epoch."""
        return read_manifest(self.study, self.trial)

    def save_epoch(self, manifest: Manifest, state: Any, attempt: int) -> Manifest:
        """Save an epoch in the middle of a fold: the state first, the manifest last."""
        name = f"resume/{len(manifest.curve)}.safetensors"
        self._save_tensors(name, state, attempt)
        return self._conclude(manifest.model_copy(update={"resume": name}), attempt)

    def save_fold(
        self, manifest: Manifest, weights: dict[str, Tensor], predictions: FoldPredictions, attempt: int
    ) -> Manifest:
        """Save the last epoch of a fold: weights and out-of-fold predictions first, the manifest last."""
        fold = manifest.finished_folds - 1
        weight_file, prediction_file = f"fold_{fold}/weights.safetensors", f"fold_{fold}/predictions.npz"
        self._save_tensors(weight_file, weights, attempt)
        _replace(self.path / prediction_file, predictions.save)
        files = {name: sha256_of(self.path / name) for name in (weight_file, prediction_file)}
        return self._conclude(
            manifest.model_copy(update={"resume": None, "files": {**manifest.files, **files}}), attempt
        )

    def load_resume(self, manifest: Manifest) -> Any:
        """Return the state of the fold that the trial stands in."""
        assert manifest.resume is not None
        return load_state(self.path / manifest.resume)

    def load_weights(self, fold: int) -> dict[str, Tensor]:
        """Return the weights of a finished fold."""
        weights: dict[str, Tensor] = load_state(self.path / f"fold_{fold}/weights.safetensors")
        return weights

    def load_predictions(self, fold: int) -> FoldPredictions:
        """Return the out-of-fold predictions of a finished fold."""
        return read_predictions(self.study, self.trial, fold)

    def _save_tensors(self, name: str, state: Any, attempt: int) -> None:
        self._check_attempt(attempt)
        _replace(self.path / name, lambda temporary: save_state(state, temporary))

    def _conclude(self, manifest: Manifest, attempt: int) -> Manifest:
        self._check_attempt(attempt)
        _write(self.path / "manifest.json", manifest.model_dump_json(indent=1).encode())
        for old in (self.path / "resume").glob("*"):
            if manifest.resume is None or old.name != Path(manifest.resume).name:
                old.unlink(missing_ok=True)
        return manifest

    def _attempt(self) -> int:
        path = self.path / "attempt"
        return int(path.read_text()) if path.exists() else 0

    def _check_attempt(self, attempt: int) -> None:
        if self._attempt() != attempt:
            raise Superseded(f"trial {self.trial}: attempt {attempt} was taken over by attempt {self._attempt()}")


def _write(path: Path, content: bytes) -> None:
    _replace(path, lambda temporary: temporary.write_bytes(content))


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under a temporary name, wait for the disk, rename it into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
