"""Out-of-fold predictions on disk. Reading them needs no torch."""

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from storage.outage import is_outage
from studies.metrics import Probabilities, Targets
from studies.trials.manifest import FolderError, trial_path


class FoldPredictions(BaseModel):
    """Out-of-fold predictions of one fold: ids, true classes, probabilities (images x classes)."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    ids: npt.NDArray[np.str_]
    targets: Targets
    probabilities: Probabilities
    numbers: npt.NDArray[np.float32] | None = None  # predicted, by heads that predict one

    def save(self, path: Path) -> None:
        """Write them as npz, without pickle."""
        with open(path, "wb") as file:
            arrays = {name: value for name, value in self if value is not None}
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> "FoldPredictions":
        """Return what `save` wrote.

        Raises:
            FolderError: the file is missing or damaged.
        """
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return cls(**{name: arrays[name] for name in cls.model_fields if name in arrays.files})
        except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
            if is_outage(error):  # says nothing of the file
                raise
            raise FolderError(
                f"{path}: out-of-fold predictions cannot be read ({error}); restore the file, or have the trial trained"
                " again: python -m analysis.check STUDY --repair"
            ) from None


def predictions_name(fold: int) -> str:
    """Return the name of a finished fold's predictions, below the trial folder."""
    return f"fold_{fold}/predictions.npz"


def read_predictions(study: Path, trial: int, fold: int) -> FoldPredictions:
    """Return the out-of-fold predictions of a trial's finished fold."""
    return FoldPredictions.load(trial_path(study, trial) / predictions_name(fold))
