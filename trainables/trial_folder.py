"""The trial folder: what one trial has to show, and a manifest that is written last and says what is complete.

A file counts only if the manifest names it. Everything is written under a temporary name and renamed, so
a kill at any moment leaves the folder as of the last finished epoch. No pickle.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from trainables.metrics import Probabilities, Targets
from trainables.tensor_files import load_state, save_state


class FolderError(ValueError):
    """A trial folder that is not what its manifest says."""


class Superseded(RuntimeError):
    """A newer attempt has taken the trial over: this one must not write any more."""


class EpochLine(BaseModel):
    """One fold-epoch of the learning curve; `score` is pooled over the folds so far."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fold: int
    epoch: int
    score: float
    fold_score: float
    loss: float
    learning_rate: float
    images_per_second: float
    seconds: float
    time: float


class Manifest(BaseModel):
    """What a trial folder holds; files by path below the folder, with their sha256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trial: int
    configuration: dict[str, Any]
    digest: str
    folds: int
    epochs: int
    curve: tuple[EpochLine, ...] = ()
    files: dict[str, str] = {}
    resume: str | None = None  # the state of the fold it stands in; None at the end of a fold

    @property
    def finished_folds(self) -> int:
        return len(self.curve) // self.epochs

    @property
    def complete(self) -> bool:
        return self.finished_folds == self.folds


class TrialFolder:
    """The paths and the files of one trial."""

    def __init__(self, study: Path, trial: int) -> None:
        self.path = study / "trials" / str(trial)
        self.trial = trial

    def claim(self, attempt: int) -> None:
        """Take the trial over: an older attempt that still runs finds out before it renames anything."""
        self.path.mkdir(parents=True, exist_ok=True)
        if attempt < self._attempt():
            raise Superseded(f"trial {self.trial}: attempt {attempt} was taken over by attempt {self._attempt()}")
        _write(self.path / "attempt", str(attempt).encode())

    def manifest(self) -> Manifest | None:
        """Return the manifest, None for a trial that has not finished an epoch.

        Raises:
            FolderError: it is damaged.
        """
        path = self.path / "manifest.json"
        try:
            return Manifest.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError:
            raise FolderError(f"{path}: is damaged; move {self.path} aside to have the trial trained again") from None

    def save_epoch(self, manifest: Manifest, state: Any, attempt: int) -> Manifest:
        """Save an epoch in the middle of a fold: the state first, the manifest last."""
        name = f"resume/{len(manifest.curve)}.safetensors"
        self._save_tensors(name, state, attempt)
        return self._conclude(manifest.model_copy(update={"resume": name}), attempt)

    def save_fold(
        self, manifest: Manifest, weights: dict[str, Tensor], predictions: "FoldPredictions", attempt: int
    ) -> Manifest:
        """Save the last epoch of a fold: weights and out-of-fold predictions first, the manifest last."""
        fold = manifest.finished_folds - 1
        weight_file, prediction_file = f"fold_{fold}/weights.safetensors", f"fold_{fold}/predictions.npz"
        self._save_tensors(weight_file, weights, attempt)
        _replace(self.path / prediction_file, predictions.save)
        files = {name: sha256_of(self.path / name) for name in (weight_file, prediction_file)}
        return self._conclude(manifest.model_copy(update={"resume": None, "files": {**manifest.files, **files}}), attempt)

    def load_resume(self, manifest: Manifest) -> Any:
        """Return the state of the fold that the trial stands in."""
        assert manifest.resume is not None
        return load_state(self.path / manifest.resume)

    def load_weights(self, fold: int) -> dict[str, Tensor]:
        """Return the weights of a finished fold."""
        weights: dict[str, Tensor] = load_state(self.path / f"fold_{fold}/weights.safetensors")
        return weights

    def load_predictions(self, fold: int) -> "FoldPredictions":
        """Return the out-of-fold predictions of a finished fold.

        Raises:
            FolderError: they are damaged.
        """
        return FoldPredictions.load(self.path / f"fold_{fold}/predictions.npz")

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


class FoldPredictions(BaseModel):
    """Out-of-fold predictions of one fold: ids, true classes, probabilities (images x classes)."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    ids: np.ndarray
    targets: Targets
    probabilities: Probabilities

    def save(self, path: Path) -> None:
        with open(path, "wb") as file:
            np.savez(file, ids=self.ids, targets=self.targets, probabilities=self.probabilities)

    @classmethod
    def load(cls, path: Path) -> "FoldPredictions":
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(ids=arrays["ids"], targets=arrays["targets"], probabilities=arrays["probabilities"])
        except (OSError, ValueError, KeyError) as error:
            raise FolderError(f"{path}: out-of-fold predictions cannot be read ({error})") from None


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write(path: Path, content: bytes) -> None:
    _replace(path, lambda temporary: temporary.write_bytes(content) and None)


def _replace(path: Path, write: Any) -> None:
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
