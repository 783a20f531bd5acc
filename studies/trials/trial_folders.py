"""The trial folders, asked in the record's terms: after a crash they may know more than the record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studies.metrics import METRICS, Metric
from studies.record.events import EpochScored, Part
from studies.trials.attempts import newest_attempt
from studies.trials.manifest import trial_path, weights_name, write_fold_manifest
from studies.trials.pooling import score_of_folds
from studies.trials.stored_trial import read_trial


@dataclass(frozen=True)
class Drop:
    """Delete one part of one fold's folder."""

    trial: int
    fold: int
    part: Part


@dataclass(frozen=True)
class Holding:
    """Bytes that a trial's folder holds: all together, and those that may be dropped, by fold and part."""

    total: int
    parts: Mapping[tuple[int, Part], int] = field(default_factory=dict)


class TrialFolders:
    """What a study's trial folders hold (see `schedulers.disk.trimming.Folders`)."""

    def __init__(self, study: Path, metric: Metric = METRICS["macro_f1"]) -> None:
        self._study, self._metric = study, metric

    def saved_epochs(self, trial: int) -> dict[int, list[EpochScored]]:
        """Return the epochs that a trial's folder holds, by fold."""
        stored = read_trial(self._study, trial)
        return {} if stored is None else {fold: list(part.curve) for fold, part in stored.parts.items()}

    def without_weights(self, trial: int) -> frozenset[int]:
        """Return the finished folds of a trial that have no weights."""
        stored = read_trial(self._study, trial)
        return frozenset() if stored is None else frozenset(stored.finished_folds) - frozenset(stored.voting_folds)

    def left_alone(self, trial: int) -> frozenset[int]:
        """Return the folds of a trial whose folder has files but no manifest."""
        stored = read_trial(self._study, trial)
        kept = ("predictions.npz", "weights.safetensors", "looks")
        folders = trial_path(self._study, trial).glob("fold_*")
        filled = {int(path.name[5:]) for path in folders if any((path / name).exists() for name in kept)}
        return frozenset(filled) - frozenset(() if stored is None else stored.parts)

    def newest_attempt(self) -> int:
        """Return the number of the newest attempt that any folder has seen."""
        return newest_attempt(self._study)

    def pooled_score(self, trial: int, folds: int) -> float:
        """Return the score of a trial's first folds together.

        Raises:
            FolderError: the predictions of one are missing or damaged.
        """
        return score_of_folds(self._study, trial, folds, self._metric)

    def holding(self, trial: int) -> Holding:
        """Return the bytes that a trial's folder holds."""
        folder = trial_path(self._study, trial)
        sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        stored = read_trial(self._study, trial)
        parts: dict[tuple[int, Part], int] = {}
        for fold, part in {} if stored is None else stored.parts.items():
            parts[fold, "weights"] = sizes.get(folder / weights_name(fold), 0)
            parts[fold, "resume"] = sizes.get(folder / part.resume, 0) if part.resume else 0
        return Holding(sum(sizes.values()), parts)

    def other_bytes(self) -> int:
        """Return the bytes of the study's own files; what Ray keeps under ray/ is not counted."""
        return sum(path.stat().st_size for path in self._study.iterdir() if path.is_file())

    def drop(self, drop: Drop) -> None:
        """Delete a part of a fold's folder; first the manifest lets go of it."""
        stored = read_trial(self._study, drop.trial)
        part = None if stored is None else stored.parts.get(drop.fold)
        if part is None:
            return
        folder = trial_path(self._study, drop.trial)
        if drop.part == "resume":
            going = folder / part.resume if part.resume else None
            kept = part.model_copy(update={"resume": None})
        else:
            going = folder / weights_name(drop.fold)
            files = {name: digest for name, digest in part.files.items() if name != weights_name(drop.fold)}
            kept = part.model_copy(update={"files": files})
        write_fold_manifest(self._study, kept)
        if going is not None:
            going.unlink(missing_ok=True)
