"""The trial folder: what one trial has to show, and a manifest that is written last and says what is complete.

A file counts only if the manifest names it. Everything is written under a temporary name and renamed, so
a kill at any moment leaves the folder as of the last finished epoch. No pickle.
"""

import errno
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from trainables.manifest import Manifest, read_attempt, read_manifest, sha256_of, trial_path, weights_name
from trainables.predictions import FoldPredictions, predictions_name, read_predictions
from trainables.tensor_files import load_state, save_state

RESERVED_BYTES = 256 * 2**20  # a state of a large model with its optimizer; the record needs a few bytes of it too


class Superseded(RuntimeError):
    """A newer attempt has taken the trial over: this one must not write any more."""


class DiskFull(OSError):
    """There is too little free space to go on writing safely."""


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
        self.path.mkdir(parents=True, exist_ok=True)
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

    def save_epoch(self, manifest: Manifest, state: Any) -> Manifest:
        """Save an epoch in the middle of a fold: the state first, the manifest last."""
        name = f"resume/{len(manifest.curve)}.safetensors"
        self._put(name, lambda temporary: save_state(state, temporary))
        return self._conclude(
            manifest.model_copy(update={"resume": {**manifest.resume, manifest.curve[-1].fold: name}})
        )

    def save_fold(self, manifest: Manifest, weights: dict[str, Tensor], predictions: FoldPredictions) -> Manifest:
        """Save the last epoch of a fold: weights and out-of-fold predictions first, the manifest last."""
        fold = manifest.curve[-1].fold
        writers: dict[str, Callable[[Path], object]] = {
            weights_name(fold): partial(save_state, weights),
            predictions_name(fold): predictions.save,
        }
        for name, write in writers.items():
            self._put(name, write)
        files = {**manifest.files, **{name: sha256_of(self.path / name) for name in writers}}
        unfinished = {other: name for other, name in manifest.resume.items() if other != fold}
        return self._conclude(manifest.model_copy(update={"resume": unfinished, "files": files}))

    def load_resume(self, manifest: Manifest, fold: int) -> Any | None:
        """Return the state of an unfinished fold, None if there is none to go on from."""
        name = manifest.resume.get(fold)
        return None if name is None or not (self.path / name).is_file() else load_state(self.path / name)

    def load_predictions(self, fold: int) -> FoldPredictions:
        """Return the out-of-fold predictions of a finished fold."""
        return read_predictions(self.study, self.trial, fold)

    def _conclude(self, manifest: Manifest) -> Manifest:
        self._put("manifest.json", lambda temporary: temporary.write_text(manifest.model_dump_json(indent=1)))
        wanted = {Path(name).name for name in manifest.resume.values()}
        for old in (self.path / "resume").glob("*"):
            if old.name not in wanted:
                old.unlink(missing_ok=True)
        return manifest

    def _put(self, name: str, write: Callable[[Path], object]) -> None:
        """Write a file under a temporary name, wait for the disk, and rename it if the trial is still ours."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.torn")
        check_free_space(path.parent)
        try:
            write(temporary)
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
            newest = read_attempt(self.study, self.trial)
            if newest != self._claimed:
                raise Superseded(f"trial {self.trial}: attempt {self._claimed} was taken over by attempt {newest}")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def check_free_space(folder: Path) -> None:
    """Check that a state or a fold's weights still fit; what is half written when a disk fills up helps nobody.

    Raises:
        DiskFull: less than `RESERVED_BYTES` are free.
    """
    free = shutil.disk_usage(folder).free
    if free < RESERVED_BYTES:
        raise DiskFull(
            errno.ENOSPC,
            f"only {free / 2**20:.0f} MiB are free, {RESERVED_BYTES / 2**20:.0f} MiB are kept",
            str(folder),
        )
