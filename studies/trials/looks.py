"""Predictions of a fold where its climb rested before the fold's end, in half precision: eliminations can be made again by them.

Images are those of the fold, in the order of the study's table of images, so no ids are kept.
"""

import zlib
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from storage.outage import is_outage
from studies.metrics import Probabilities
from studies.trials.manifest import FolderError, FoldManifest, sha256_of, trial_path

_FOLDER = "looks"


def look_name(fold: int, epoch: int) -> str:
    """Return the name of the look at a fold after so many epochs, below the trial's folder."""
    return f"fold_{fold}/{_FOLDER}/{epoch}.npz"


def looks_of(part: FoldManifest) -> dict[int, str]:
    """Return the looks at a fold: their files by the epochs after which they were kept.

    The former layout named them by the fold-epochs of the whole trial.
    """
    names = [name for name in part.files if Path(name).parent.name == _FOLDER]
    return {(int(Path(name).stem) - 1) % part.epochs + 1: name for name in names}


def save_look(path: Path, fold: int, probabilities: Probabilities) -> None:
    """Write what a fold predicts."""
    with open(path, "wb") as file:
        np.savez(file, **{str(fold): probabilities.astype(np.float16)})  # type: ignore[arg-type]


def checked_look(study: Path, part: FoldManifest, epoch: int) -> Probabilities:
    """Return a look in single precision, after checking it against the hash that its manifest has.

    Raises:
        FolderError: the file is missing, damaged or changed.
    """
    name = looks_of(part)[epoch]
    path = trial_path(study, part.trial) / name
    if not path.is_file() or sha256_of(path) != part.files[name]:
        raise FolderError(f"{path}: is missing or was changed; restore it")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            look: Probabilities = arrays[str(part.fold)].astype(np.float32)
            return look
    except (OSError, ValueError, EOFError, KeyError, BadZipFile, zlib.error) as error:
        if is_outage(error):  # says nothing of the file
            raise
        raise FolderError(f"{path}: cannot be read ({error}); restore it") from None
