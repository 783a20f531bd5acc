"""The study's folder: where its files lie, and whether a launch belongs to it."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from plugins.loading import load_plugin
from plugins.sources import Plugin, plugin_at
from search_spaces import SearchSpace
from storage.atomic import make_folder, write_text
from studies.climb_order import FoldOrder
from studies.record import StudyLock

FORMAT = 2  # of everything in a study's folder; raise it when an older one could be misread
# What makes a study this study. Budgets and the sampler are not part of it: they may change.
_IDENTITY = ("task", "data", "metric", "parameters", "constants", "defaults")


class StudyError(ValueError):
    """A study that cannot be opened or continued; the message names the way out."""


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
        self.requests = self.path / "requests"  # from other terminals, see `studies.requests`
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
        if name != Path(name).name or name.startswith("."):
            raise StudyError(f"{option} {name}: must be a plain folder name; --results says where studies lie")
        return cls(results / name)

    @property
    def name(self) -> str:
        return self.path.name

    def exists(self) -> bool:
        """Tell whether a study was begun here."""
        return self.space.is_file()

    def stored_space(self) -> SearchSpace:
        """Return the space as resolved at the first launch.

        Raises:
            StudyError: there is none, it is damaged, or of another version of Foldrace.
        """
        if self.exists():
            self._begun()
        try:
            return SearchSpace.model_validate(yaml.safe_load(self.space.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise StudyError(f"{self.path}: holds no study (no space.yaml)") from None
        except (ValueError, yaml.YAMLError) as error:
            raise StudyError(
                f"{self.space}: is damaged ({str(error).splitlines()[0]}); restore it, or take another --study"
            ) from None

    def fold_order(self) -> FoldOrder:
        """Return how the folds of the study's trials advance."""
        order: FoldOrder = self._begun()["fold_order"]
        return order

    def plugin_digests(self) -> dict[str, str]:
        """Return the plugins that the study was begun with, by name with the hash of their source, in their order."""
        digests: dict[str, str] = self._begun()["plugins"]
        return digests

    def kept_plugin(self, name: str) -> Plugin:
        """Return the plugin as the study keeps it.

        Raises:
            StudyError: its source is gone.
        """
        for path in (self.plugins / f"{name}.py", self.plugins / name):
            if path.exists():
                return plugin_at(path)
        raise StudyError(f"{self.plugins}: lacks the plugin {name}; the next launch of the study puts it back")

    def load_plugins(self) -> None:
        """Import the study's plugins, from the sources that it keeps.

        Raises:
            StudyError: one of them was changed or is gone.
        """
        for name, digest in self.plugin_digests().items():
            plugin = self.kept_plugin(name)
            if plugin.digest != digest:
                raise StudyError(f"{plugin.path}: was changed since the study began; restore it")
            load_plugin(plugin)

    def _begun(self) -> dict[str, Any]:
        """Return what was written down when the study began.

        Raises:
            StudyError: another version of Foldrace wrote it.
        """
        if not self.begun.is_file():
            raise StudyError(
                f"{self.path}: was begun by an earlier version of Foldrace (it has no {self.begun.name}); go on with that"
                " version, or begin anew under another name with --study"
            )
        facts = self.read_facts(self.begun, ("format",))
        if facts["format"] != FORMAT:
            raise StudyError(
                f"{self.begun}: is of format {facts['format']}, this version of Foldrace reads format {FORMAT}; take the"
                " version that wrote it, or begin anew under another name with --study"
            )
        return self.read_facts(self.begun, ("fold_order", "plugins"))

    def classes(self) -> list[str]:
        """Return the classes of the study's task."""
        return [str(name) for name in self.read_facts(self.data, ("classes",))["classes"]]

    def read_facts(self, file: Path, keys: Collection[str]) -> dict[str, Any]:
        """Return what one of the study's JSON files says; it must have these keys.

        Raises:
            StudyError: it is missing or damaged; names it.
        """
        facts = _read_json(file)
        for key in keys:
            if key not in facts:
                raise StudyError(f"{file}: lacks {key!r}; restore it, or begin anew under another name with --study")
        return facts

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

    def refuse_another(self, identity: "Identity", stored: SearchSpace | None = None) -> None:
        """Check that a launch belongs to the study that is here, if there is one.

        `stored` is its space brought up to date, where this version knows more knobs than the one that began it.

        Raises:
            StudyError: another space, data set or split under this name; shows the difference.
        """
        if not self.exists():
            return
        images, splits = _read_json(self.data), _read_json(self.splits)
        before = Identity(
            stored or self.stored_space(), images, splits, self.fold_order(), self.plugin_digests()
        ).facts()
        changed = "\n".join(f"  {key}: {old!r} -> {new!r}" for key, old, new in differences(before, identity.facts()))
        if changed:
            raise StudyError(
                f"{self.path}: holds another study:\n{changed}\nTake another name with --study NAME, or undo the difference."
            )

    def begin_or_continue(self, identity: "Identity", files: Mapping[str, str]) -> None:
        """Write what identifies a new study, or go on with the same one (see `refuse_another`).

        `files` are further texts by file name that follow from the identity. space.yaml comes last: a
        study exists once it is there.
        """
        for name, text in files.items():
            write_text(self.path / name, text)
        write_text(
            self.data, json.dumps(identity.data, indent=1)
        )  # also on continuing: images may lie elsewhere by now
        if not self.exists():
            begun = {"format": FORMAT, "fold_order": identity.fold_order, "plugins": dict(identity.plugins)}
            write_text(self.begun, json.dumps(begun, indent=1))
            write_text(self.splits, json.dumps(identity.splits, indent=1))
            write_text(self.space, yaml.safe_dump(identity.space.model_dump(mode="json"), sort_keys=False))


@dataclass(frozen=True)
class Identity:
    """What makes a study this study: its space, its images and who stands where."""

    space: SearchSpace
    data: dict[str, Any]
    splits: dict[str, Any]
    fold_order: FoldOrder = "sequential"  # what a trial's epochs mean
    plugins: Mapping[str, str] = field(default_factory=dict)  # by name, the hash of their source

    def facts(self) -> dict[str, Any]:
        """Return what must not change between launches; budgets and the sampler may."""
        dumped = self.space.model_dump(mode="json")
        facts = {key: dumped[key] for key in _IDENTITY}
        return {
            **facts,
            "folds": self.space.search.folds,
            "fold order": self.fold_order,
            "images": self.data["images"],
            "labels": self.data["labels"],
            "splits": self.splits["digest"],
            "plugins": dict(self.plugins),
        }


def differences(before: Mapping[str, Any], now: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield (dotted key, old, new) of everything that differs between two nested mappings."""
    for key in sorted({*before, *now}):
        old, new = before.get(key, "(absent)"), now.get(key, "(absent)")
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from differences(old, new, f"{above}{key}.")
        elif old != new:
            yield f"{above}{key}", old, new


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StudyError(
            f"{path}: cannot be read ({error}); restore it, or begin anew under another name with --study"
        ) from None
    if not isinstance(content, dict):
        raise StudyError(f"{path}: must be a mapping; restore it, or begin anew under another name with --study")
    return content
