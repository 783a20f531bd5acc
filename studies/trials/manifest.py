"""The manifests of a trial: what it trains, written once, and for every fold what is complete of it. Reading needs no torch.

    trials/14/manifest.json            the configuration
    trials/14/fold_0/manifest.json     the learning curve, and the files that count, each with its sha256
    trials/14/fold_0/attempt           whose climb may write here

Names of files are below the trial's folder.
"""

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from storage.atomic import make_folder, write_text
from storage.json_text import load_json
from storage.regular import WEIGHTS, open_regular, read_regular
from studies.errors import check_command
from studies.record.events import Epochs, EpochScored, Fold, Trial

FORMAT: Literal[2] = 2


class FolderError(ValueError):
    """A trial folder that is not what its manifest says."""


class FormatError(ValueError):
    """A manifest of another version: nothing is wrong with it, and nothing must be mended."""


class TrialManifest(BaseModel):
    """What a trial trains: its configuration with its hash, on so many folds of so many epochs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[2] = FORMAT
    trial: Trial
    configuration: dict[str, Any]
    digest: str
    folds: Fold
    epochs: Epochs


class FoldManifest(BaseModel):
    """What a fold's folder holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[2] = FORMAT
    trial: Trial
    fold: Fold
    epochs: Epochs  # that the fold will have
    digest: str = ""  # of the trial's configuration; empty where the former layout had one manifest for all folds
    curve: tuple[EpochScored, ...] = ()  # as the record has them
    files: dict[str, str] = {}  # sha256 by name
    resume: str | None = None  # the state to go on from; without one the fold is trained again up to where it stands

    @property
    def trained(self) -> int:
        """Return how many epochs are done."""
        return len(self.curve)

    @property
    def is_finished(self) -> bool:
        return self.trained == self.epochs

    @property
    def has_weights(self) -> bool:
        """Tell whether its weights are there; a disk budget may have dropped them."""
        return weights_name(self.fold) in self.files


def trial_path(study: Path, trial: int) -> Path:
    """Return the folder of a trial."""
    return study / "trials" / str(trial)


def fold_path(study: Path, trial: int, fold: int) -> Path:
    """Return the folder of a fold of a trial."""
    return trial_path(study, trial) / f"fold_{fold}"


def weights_name(fold: int) -> str:
    """Return the name of a finished fold's weights."""
    return f"fold_{fold}/weights.safetensors"


def write_fold_manifest(study: Path, manifest: FoldManifest) -> None:
    """Put a manifest in the place of a fold's last one; only for a fold that no process is climbing with."""
    path = fold_path(study, manifest.trial, manifest.fold) / "manifest.json"
    make_folder(path.parent)  # the former layout has none for a fold that is not finished
    write_text(path, manifest.model_dump_json(indent=1))


def read_json(path: Path) -> dict[str, Any] | None:
    """Return a manifest as it is written, None if there is none.

    Raises:
        FolderError: it is damaged.
        FormatError: it is of a later version.
    """
    try:
        stored = load_json(read_regular(path))
    except FileNotFoundError:
        return None
    except ValueError:
        raise damaged(path) from None
    if not isinstance(stored, dict):
        raise damaged(path)
    found = stored.get("format", 1)
    if isinstance(found, int) and found > FORMAT:
        raise FormatError(
            f"{path}: is of format {found}, this version of Foldrace reads formats up to {FORMAT}; take the version that"
            " wrote it"
        )
    return stored


def damaged(path: Path) -> FolderError:
    """Return the error of a manifest that cannot be read."""
    study = next((above.parent for above in path.parents if above.name == "trials"), path.parent)
    return FolderError(
        f"{path}: is damaged; {check_command(study)} --repair sets it aside and has the trial trained again"
    )


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with open_regular(path, WEIGHTS) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
