"""A trial as its folder holds it, in today's layout or the former one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studies.errors import check_command
from studies.record.former_formats import upgraded_curve
from studies.trials.manifest import FolderError, FoldManifest, TrialManifest, damaged, fold_path, read_json, trial_path


@dataclass(frozen=True)
class StoredTrial:
    """A trial's manifest, and those of the folds that have finished an epoch."""

    manifest: TrialManifest
    parts: Mapping[int, FoldManifest]

    @property
    def trial(self) -> int:
        return self.manifest.trial

    @property
    def configuration(self) -> dict[str, Any]:
        return self.manifest.configuration

    @property
    def digest(self) -> str:
        return self.manifest.digest

    @property
    def folds(self) -> int:
        return self.manifest.folds

    @property
    def epochs(self) -> int:
        return self.manifest.epochs

    @property
    def files(self) -> dict[str, str]:
        """Return the sha256 of all files that count, by name below the trial's folder."""
        return {name: digest for part in self.parts.values() for name, digest in part.files.items()}

    @property
    def finished_folds(self) -> tuple[int, ...]:
        """Return the folds that have all their epochs."""
        return tuple(fold for fold, part in sorted(self.parts.items()) if part.is_finished)

    @property
    def voting_folds(self) -> tuple[int, ...]:
        """Return the finished folds whose weights are there."""
        return tuple(fold for fold in self.finished_folds if self.parts[fold].has_weights)

    @property
    def is_complete(self) -> bool:
        return len(self.finished_folds) == self.folds


def read_trial(study: Path, trial: int) -> StoredTrial | None:
    """Return a trial as its folder holds it, None if it has not set out.

    Raises:
        FolderError: a manifest is damaged, missing although its folds have files, or of another trial or configuration.
        FormatError: it is of a later version.
    """
    path = trial_path(study, trial) / "manifest.json"
    stored = read_json(path)
    if stored is None:
        if any(trial_path(study, trial).glob("fold_*/manifest.json")):
            raise FolderError(f"{path}: is missing although folds of it were trained; restore it, or {_repair(study)}")
        return None
    former = _former_parts(stored, path) if stored.get("format", 1) == 1 else {}
    manifest = _trial_manifest(stored, path)
    parts = former | {fold: part for fold in range(manifest.folds) if (part := _part(study, manifest, fold))}
    return StoredTrial(manifest, parts)


def _part(study: Path, manifest: TrialManifest, fold: int) -> FoldManifest | None:
    path = fold_path(study, manifest.trial, fold) / "manifest.json"
    stored = read_json(path)
    if stored is None:
        return None
    try:
        part = FoldManifest.model_validate(stored)
    except ValueError:
        raise damaged(path) from None
    if (part.fold, part.epochs) != (fold, manifest.epochs) or part.digest not in ("", manifest.digest):
        raise FolderError(
            f"{path}: is of another trial, fold or configuration than {manifest.trial}, {fold}; move it aside to have the"
            f" fold trained again, or {_repair(study)}"
        )
    return part


def _repair(study: Path) -> str:
    return f"{check_command(study)} --repair sets the trial aside and has it trained again"


def _trial_manifest(stored: dict[str, Any], path: Path) -> TrialManifest:
    try:
        named = {name: stored[name] for name in ("trial", "configuration", "digest", "folds", "epochs")}
        return TrialManifest.model_validate(named if stored.get("format", 1) == 1 else stored)
    except (KeyError, ValueError):
        raise damaged(path) from None


def _former_parts(stored: dict[str, Any], path: Path) -> dict[int, FoldManifest]:
    """Return the folds of a manifest of the former layout, which held them all."""
    try:
        curve = upgraded_curve(stored.get("curve", ()))
        files, resume = stored.get("files", {}), stored.get("resume", {})
        return {
            fold: FoldManifest(
                trial=stored["trial"],
                fold=fold,
                epochs=stored["epochs"],
                digest=stored["digest"],
                curve=tuple(line for line in curve if line.fold == fold),
                files={name: digest for name, digest in files.items() if _fold_of(name, stored["epochs"]) == fold},
                resume=resume.get(str(fold)),
            )
            for fold in sorted({line.fold for line in curve})
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        raise damaged(path) from None


def _fold_of(name: str, epochs: int) -> int:
    """Return the fold that a file of the former layout belongs to; looks were named by the fold-epochs before them."""
    folder, _, file = name.partition("/")
    if folder == "looks":
        return (int(file.partition(".")[0]) - 1) // epochs
    return int(folder.removeprefix("fold_")) if folder.startswith("fold_") else 0
