"""The trial folders, asked in the record's terms: after a crash they may know more than the record."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studies.events import EpochScored, Part
from studies.manifest import newest_attempt, read_manifest, trial_path, weights_name, write_manifest


@dataclass(frozen=True)
class Holding:
    """Bytes that a trial's folder holds: all together, and those that may be dropped, by part."""

    total: int
    parts: Mapping[Part, int]


@dataclass(frozen=True)
class Drop:
    """Delete one part of one trial's folder."""

    trial: int
    part: Part


class TrialFolders:
    """What a study's trial folders hold (see `schedulers.disk.trimming.Folders`)."""

    def __init__(self, study: Path) -> None:
        self._study = study

    def saved_epochs(self, trial: int) -> list[EpochScored]:
        """Return all fold-epochs that a trial's folder holds, in order."""
        manifest = read_manifest(self._study, trial)
        return list(manifest.curve) if manifest else []

    def newest_attempt(self) -> int:
        """Return the newest attempt that any folder has seen."""
        return newest_attempt(self._study)

    def holding(self, trial: int) -> Holding:
        """Return the bytes that a trial's folder holds."""
        folder = trial_path(self._study, trial)
        sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        of_part: dict[Part, str] = {"resume": "resume/*", "weights": "fold_*/weights.safetensors"}
        parts = {part: sum(sizes.get(path, 0) for path in folder.glob(files)) for part, files in of_part.items()}
        return Holding(sum(sizes.values()), parts)

    def other_bytes(self) -> int:
        """Return the bytes of the study's own files; what Ray keeps under ray/ is not counted."""
        return sum(path.stat().st_size for path in self._study.iterdir() if path.is_file())

    def drop(self, drop: Drop) -> None:
        """Delete a part of a trial's folder; first the manifest lets go of it."""
        manifest = read_manifest(self._study, drop.trial)
        folder = trial_path(self._study, drop.trial)
        if manifest is None:
            return
        if drop.part == "resume":
            write_manifest(self._study, manifest.model_copy(update={"resume": {}}))
            going = list(folder.glob("resume/*"))
        else:
            names = {weights_name(fold) for fold in range(manifest.folds)}
            kept = {name: digest for name, digest in manifest.files.items() if name not in names}
            write_manifest(self._study, manifest.model_copy(update={"files": kept}))
            going = [folder / name for name in names]
        for path in going:
            path.unlink(missing_ok=True)
