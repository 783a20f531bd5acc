"""The manifest of a trial folder: what is complete in it. Reading it needs no torch."""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from storage.atomic import write_text
from studies.events import EpochScored

FORMAT: Literal[1] = 1
THRESHOLDS = "thresholds.json"  # of a trial that tunes them


class FolderError(ValueError):
    """A trial folder that is not what its manifest says."""


class FormatError(ValueError):
    """A manifest of another version: nothing is wrong with it, and nothing must be mended."""


class Manifest(BaseModel):
    """What a trial folder holds; files by path below the folder, with their sha256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trial: int
    configuration: dict[str, Any]
    digest: str
    folds: int
    epochs: int
    curve: tuple[EpochScored, ...] = ()  # as the record has them
    format: Literal[1] = FORMAT
    files: dict[str, str] = {}
    resume: dict[int, str] = {}  # by unfinished fold, the state to go on from; what is missing is trained again

    def epochs_of(self, fold: int) -> int:
        """Return how many epochs of a fold are done."""
        return sum(line.fold == fold for line in self.curve)

    @property
    def finished_folds(self) -> int:
        """Return how many folds are finished; they are always the first ones."""
        return sum(line.epoch == self.epochs - 1 for line in self.curve)

    @property
    def can_vote(self) -> bool:
        """Tell whether all folds are trained and their weights are still there (a disk budget may have dropped them)."""
        return self.complete and all(weights_name(fold) in self.files for fold in range(self.folds))

    @property
    def complete(self) -> bool:
        return self.finished_folds == self.folds


def trial_path(study: Path, trial: int) -> Path:
    """Return the folder of a trial."""
    return study / "trials" / str(trial)


def weights_name(fold: int) -> str:
    """Return the name of a finished fold's weights, below the trial folder."""
    return f"fold_{fold}/weights.safetensors"


def read_attempt(study: Path, trial: int) -> int:
    """Return the newest attempt at a trial, 0 before the first.

    Raises:
        FolderError: the file that says so is damaged.
    """
    path = trial_path(study, trial) / "attempt"
    try:
        return int(path.read_text())
    except FileNotFoundError:
        return 0
    except ValueError:
        raise FolderError(
            f"{path}: is damaged; python -m analysis.check {study} --repair has the trial trained again"
        ) from None


def newest_attempt(study: Path) -> int:
    """Return the newest attempt at any trial of a study."""
    trials = (int(folder.name) for folder in (study / "trials").glob("*") if folder.name.isdigit())
    return max((read_attempt(study, trial) for trial in trials), default=0)


def read_manifest(study: Path, trial: int) -> Manifest | None:
    """Return a trial's manifest, None for a trial that has not finished an epoch.

    Raises:
        FolderError: it is damaged.
    """
    path = trial_path(study, trial) / "manifest.json"
    try:
        stored = json.loads(path.read_bytes())
        found = stored.get("format", FORMAT) if isinstance(stored, dict) else FORMAT
        if isinstance(found, int) and found != FORMAT:
            raise FormatError(
                f"{path}: is of format {found}, this version of Foldrace reads format {FORMAT}; take the version that wrote it"
            )
        return Manifest.model_validate(stored)
    except FileNotFoundError:
        return None
    except FormatError:
        raise
    except ValueError:
        raise FolderError(
            f"{path}: is damaged; python -m analysis.check {study} --repair sets it aside and has the trial trained again"
        ) from None


def read_thresholds(study: Path, manifest: Manifest) -> tuple[float, ...] | None:
    """Return the numbers at which classes begin for a trial's vote, None for a trial that tunes none."""
    if THRESHOLDS not in manifest.files:
        return None
    return tuple(json.loads((trial_path(study, manifest.trial) / THRESHOLDS).read_text(encoding="utf-8")))


def write_manifest(study: Path, manifest: Manifest) -> None:
    """Put a manifest in the place of a trial's last one; only for a trial that no process is climbing with."""
    write_text(trial_path(study, manifest.trial) / "manifest.json", manifest.model_dump_json(indent=1))


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
