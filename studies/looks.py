"""What a trial said where it rested on the way to a fold's end, in half precision: eliminations can be judged again by it.

Images are those of the fold, in the order of the study's table of images, so no ids are kept.
"""

import zlib
from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from studies.manifest import FolderError, Manifest, sha256_of, trial_path
from studies.metrics import Probabilities

Looks = Mapping[int, Probabilities]  # by fold, its images x classes
_FOLDER = "looks"


def look_name(fold_epochs: int) -> str:
    """Return the name of the look after so many fold-epochs, below the trial folder."""
    return f"{_FOLDER}/{fold_epochs}.npz"


def looks_of(manifest: Manifest) -> tuple[int, ...]:
    """Return after how many fold-epochs a trial kept a look, in ascending order."""
    return tuple(sorted(int(Path(name).stem) for name in manifest.files if Path(name).parent.name == _FOLDER))


def save_look(path: Path, looks: Looks) -> None:
    """Write what a trial says about the folds that it has begun and not finished."""
    arrays: dict[str, npt.NDArray[np.float16]] = {
        str(fold): probabilities.astype(np.float16) for fold, probabilities in looks.items()
    }
    with open(path, "wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def checked_look(study: Path, manifest: Manifest, fold_epochs: int) -> Looks:
    """Return a look after checking it against the hash that its manifest has.

    Raises:
        FolderError: the file is missing, damaged or changed.
    """
    path = trial_path(study, manifest.trial) / look_name(fold_epochs)
    if not path.is_file() or sha256_of(path) != manifest.files[look_name(fold_epochs)]:
        raise FolderError(f"{path}: is missing or was changed; restore it")
    return read_look(study, manifest.trial, fold_epochs)


def read_look(study: Path, trial: int, fold_epochs: int) -> Looks:
    """Return what `save_look` wrote, in single precision.

    Raises:
        FolderError: the file is missing or damaged.
    """
    path = trial_path(study, trial) / look_name(fold_epochs)
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {int(fold): arrays[fold].astype(np.float32) for fold in arrays.files}
    except (OSError, ValueError, EOFError, BadZipFile, zlib.error) as error:
        raise FolderError(f"{path}: cannot be read ({error}); restore it") from None
