"""The study's folder: where its files lie, and whether a launch belongs to it."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from schedulers.record import StudyLock
from search_spaces import SearchSpace

# What makes a study this study. Budgets and the sampler are not part of it: they may change.
_IDENTITY = ("task", "data", "metric", "parameters", "constants", "defaults")


class StudyError(ValueError):
    """A study that cannot be opened or continued; the message names the way out."""


class StudyFolder:
    """results/<study>/ and the paths in it."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.record = self.path / "record.jsonl"
        self.space = self.path / "space.yaml"
        self.splits = self.path / "splits.json"
        self.data = self.path / "data.json"
        self.samples = self.path / "samples.csv"
        self.holdout = self.path / "holdout.csv"
        self.environment = self.path / "environment.json"
        self.trials = self.path / "trials"
        self.ray = self.path / "ray"

    @property
    def name(self) -> str:
        return self.path.name

    def exists(self) -> bool:
        """Tell whether a study was begun here."""
        return self.space.is_file()

    def stored_space(self) -> SearchSpace:
        """Return the space as resolved at the first launch.

        Raises:
            StudyError: there is none, or it is damaged.
        """
        try:
            return SearchSpace.model_validate(yaml.safe_load(self.space.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise StudyError(f"{self.path}: holds no study (no space.yaml)") from None
        except (ValueError, yaml.YAMLError) as error:
            raise StudyError(
                f"{self.space}: is damaged ({str(error).splitlines()[0]}); restore it, or take another --study"
            ) from None

    def lock(self) -> StudyLock:
        """Return the launch lock, making the folder if there is none.

        Raises:
            StudyError: the folder cannot be written.
            RecordError: another launch holds the lock.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            return StudyLock(self.path)
        except OSError as error:
            raise StudyError(
                f"{self.path}: cannot be written ({error.strerror}); choose another folder with --results"
            ) from None

    def begin_or_continue(
        self, space: SearchSpace, data: Mapping[str, Any], splits: Mapping[str, Any], files: Mapping[str, str]
    ) -> None:
        """Write what identifies a new study, or check that the launch belongs to the one that is there.

        `files` are further texts by file name; they follow from space, data and splits. space.yaml comes
        last: a study exists once it is there.

        Raises:
            StudyError: another space, data set or split under this name; shows the difference.
        """
        if self.exists():
            self._refuse_another(space, data, splits)
        for name, text in files.items():
            _write(self.path / name, text)
        _write_json(self.data, dict(data))  # also on continuing: the decoded images may lie elsewhere by now
        if not self.exists():
            _write_json(self.splits, dict(splits))
            _write(self.space, yaml.safe_dump(space.model_dump(mode="json"), sort_keys=False))

    def _refuse_another(self, space: SearchSpace, data: Mapping[str, Any], splits: Mapping[str, Any]) -> None:
        stored = self.stored_space()
        before = {
            **_identity(stored),
            "images": json.loads(self.data.read_text())["images"],
            "splits": json.loads(self.splits.read_text())["digest"],
        }
        now = {**_identity(space), "images": data["images"], "splits": splits["digest"]}
        changed = "\n".join(f"  {key}: {old!r} -> {new!r}" for key, old, new in differences(before, now))
        if changed:
            raise StudyError(
                f"{self.path}: holds another study:\n{changed}\nTake another name with --study NAME, or undo the difference."
            )


def differences(before: Mapping[str, Any], now: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (dotted key, old, new) of everything that differs between two nested mappings."""
    for key in sorted({*before, *now}):
        old, new = before.get(key, "(absent)"), now.get(key, "(absent)")
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, f"{above}{key}.")
        elif old != new:
            yield f"{above}{key}", old, new


def _identity(space: SearchSpace) -> dict[str, Any]:
    dumped = space.model_dump(mode="json")
    return {**{key: dumped[key] for key in _IDENTITY}, "folds": space.search.folds}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    _write(path, json.dumps(content, indent=1))


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
