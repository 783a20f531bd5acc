"""The study's folder: where its files lie."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from storage.atomic import make_folder
from storage.json_text import load_json
from storage.outage import is_outage
from storage.regular import TABLE, read_text
from studies.errors import StudyError
from studies.study_lock import StudyLock

__all__ = ["StudyError", "StudyFolder"]


class StudyFolder:
    """results/<study>/ and the paths in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.record = self.path / "record.jsonl"
        self.begun = self.path / "study.json"
        self.space = self.path / "space.yaml"
        self.splits = self.path / "splits.json"
        self.data = self.path / "data.json"
        self.samples = self.path / "samples.csv"
        self.holdout = self.path / "holdout.csv"
        self.environment = self.path / "environment.json"
        self.plugins = self.path / "plugins"  # their sources, as the study began with them
        self.trials = self.path / "trials"
        self.portfolio = self.path / "portfolio.yaml"  # as the study began with it
        self.rungs = self.path / "rungs.txt"
        self.requests = self.path / "requests"  # from other terminals, see `studies.record.requests`
        self.tracking = self.path / "tracking"  # what was sent to other tools, see `analysis.tracking`
        self.tensorboard = self.path / "tensorboard"
        self.ray = self.path / "ray"
        self.mirror = self.path / "optuna.journal"

    @classmethod
    def named(cls, results: Path, name: str, option: str = "--study") -> "StudyFolder":
        """Return the folder of a study by the name that an option gives.

        Raises:
            StudyError: the name is no plain folder name.
        """
        if not name or name != Path(name).name or name.startswith("."):
            raise StudyError(f"{option} {name}: must be a plain folder name; --results says where studies lie")
        return cls(results / name)

    @property
    def name(self) -> str:
        return self.path.name

    def exists(self) -> bool:
        """Tell whether a study was begun here."""
        return self.space.is_file()

    def facts(self, file: Path, keys: Collection[str] = ()) -> dict[str, Any]:
        """Return what one of the study's JSON files holds; it must have these keys.

        Raises:
            StudyError: it is missing or damaged; names it.
        """
        way_out = "restore it, or begin anew under another name with --study"
        try:
            content = load_json(read_text(file, TABLE))
        except (OSError, ValueError) as error:
            if is_outage(error):  # says nothing of the file
                raise
            raise StudyError(f"{file}: cannot be read ({error}); {way_out}") from None
        if not isinstance(content, dict):
            raise StudyError(f"{file}: must be a mapping; {way_out}")
        for key in keys:
            if key not in content:
                raise StudyError(f"{file}: lacks {key!r}; {way_out}")
        return content

    def lock(self) -> StudyLock:
        """Return the launch lock, making the folder if there is none.

        Raises:
            StudyError: the folder cannot be written.
            RecordError: another launch holds the lock.
        """
        try:
            make_folder(self.path)
            return StudyLock(self.path)
        except OSError as error:
            raise StudyError(
                f"{self.path}: cannot be written ({error.strerror}); choose another folder with --results"
            ) from None
