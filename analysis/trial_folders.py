"""The trial folders, asked in the record's terms: after a crash they may know more than the record."""

from pathlib import Path

from schedulers.events import EpochScored
from trainables.manifest import newest_attempt, read_manifest


class TrialFolders:
    """What a study's trial folders hold (see `schedulers.study_run.Folders`)."""

    def __init__(self, study: Path) -> None:
        self._study = study

    def saved_epochs(self, trial: int) -> list[EpochScored]:
        """Return all fold-epochs that a trial's folder holds, in order."""
        manifest = read_manifest(self._study, trial)
        shared = {"time", "fold", "epoch", "score", "seconds"}
        lines = manifest.curve if manifest else ()
        return [EpochScored(trial=trial, **line.model_dump(include=shared)) for line in lines]

    def newest_attempt(self) -> int:
        """Return the newest attempt that any folder has seen."""
        return newest_attempt(self._study)
