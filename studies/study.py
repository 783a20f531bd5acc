"""A study that was begun, opened once and passed on: its space, its plugins, and the files behind them."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from plugins.loading import is_loaded, load_plugin
from plugins.sources import Plugin, plugin_at
from plugins.trust import is_trusted
from search_spaces import SearchSpace
from storage.atomic import write_text
from storage.regular import read_text
from storage.safe_yaml import load_yaml
from studies.errors import StudyError
from studies.identity import Identity, differences
from studies.record.events import Event
from studies.record.record import read_record
from studies.study_folder import StudyFolder

FORMAT = 3  # of everything in a study's folder; raise it when an older one could be misread
READABLE_FORMATS = (2, 3)  # 3 brought a manifest for every fold
_WAY_OUT = "or begin anew under another name with --study"


@dataclass(frozen=True)
class Study:
    """A study on disk, as it began."""

    folder: StudyFolder
    space: SearchSpace  # as resolved at the first launch
    plugins: Mapping[str, str]  # by name, the hash of their source

    @classmethod
    def open(cls, folder: StudyFolder) -> "Study | None":
        """Return the study in a folder, None if none was begun there.

        Raises:
            StudyError: it is damaged, or of another version of Foldrace.
        """
        if not folder.exists():
            return None
        plugins: dict[str, str] = _begun(folder)["plugins"]
        try:
            space = SearchSpace.model_validate(load_yaml(read_text(folder.space)))
        except (OSError, ValueError, yaml.YAMLError) as error:
            raise StudyError(
                f"{folder.space}: is damaged ({str(error).splitlines()[0]}); restore it, or take another --study"
            ) from None
        return cls(folder, space, plugins)

    @classmethod
    def existing(cls, folder: StudyFolder) -> "Study":
        """Return the study in a folder.

        Raises:
            StudyError: there is none, it is damaged, or of another version of Foldrace.
        """
        study = cls.open(folder)
        if study is None:
            raise StudyError(f"{folder.path}: holds no study (no space.yaml)")
        return study

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def data(self) -> dict[str, Any]:
        """Return what the study learns from: classes, images and where they lie."""
        return self.folder.facts(self.folder.data)

    @property
    def classes(self) -> list[str]:
        """Return the classes of the study's task."""
        return [str(name) for name in self.folder.facts(self.folder.data, ("classes",))["classes"]]

    def identity(self) -> Identity:
        """Return what makes it this study."""
        return Identity(self.space, self.data, self.folder.facts(self.folder.splits), self.plugins)

    def events(self) -> list[Event]:
        """Return the events of its record.

        Raises:
            RecordError: it is damaged, or of a later version.
        """
        return list(read_record(self.folder.record)) if self.folder.record.exists() else []

    def kept_plugin(self, name: str) -> Plugin:
        """Return the plugin as the study keeps it.

        Raises:
            StudyError: its source is gone.
        """
        return kept_plugin(self.folder, name)

    def load_plugins(self) -> None:
        """Import the study's plugins, from the sources that it keeps: to train or to vote, never to read.

        Raises:
            StudyError: one of them was changed or is gone, or nobody has chosen to run it.
        """
        load_plugins_of(self.folder)

    def refuse_another(self, identity: Identity, stored: SearchSpace | None = None) -> None:
        """Check that a launch belongs to this study.

        `stored` is its space brought up to date, where this version knows more knobs than the one that began it.

        Raises:
            StudyError: another space, data set or split under this name; shows the difference.
        """
        ours = self.identity()
        before = Identity(stored or ours.space, ours.data, ours.splits, ours.plugins).facts()
        changed = "\n".join(f"  {key}: {old!r} -> {new!r}" for key, old, new in differences(before, identity.facts()))
        if changed:
            raise StudyError(
                f"{self.folder.path}: holds another study:\n{changed}\nTake another name with --study NAME, or undo the"
                " difference."
            )


def load_plugins_of(folder: StudyFolder, *, launched: bool = False) -> None:
    """Import the plugins of the study in a folder (see `Study.load_plugins`); a launch that has run them says so."""
    for name, digest in _begun(folder)["plugins"].items():
        plugin = kept_plugin(folder, name)
        if plugin.digest != digest:
            raise StudyError(f"{plugin.path}: was changed since the study began; restore it")
        if not (launched or is_loaded(plugin) or is_trusted(digest)):
            raise StudyError(
                f"{folder.path}: needs its plugin {name}, code that no launch of yours has run here; read {plugin.path}, then"
                f" allow it with --plugin {shlex.quote(str(plugin.path))}"
            )
        load_plugin(plugin)


def kept_plugin(folder: StudyFolder, name: str) -> Plugin:
    """Return a plugin as the study in a folder keeps it.

    Raises:
        StudyError: its source is gone.
    """
    for path in (folder.plugins / f"{name}.py", folder.plugins / name):
        if path.exists():
            return plugin_at(path)
    raise StudyError(f"{folder.plugins}: lacks the plugin {name}; the next launch of the study puts it back")


def begin_or_continue(folder: StudyFolder, identity: Identity, files: Mapping[str, str]) -> None:
    """Write what identifies a new study, or go on with the same one (see `Study.refuse_another`).

    `files` are further texts by file name that follow from the identity. space.yaml comes last: a
    study exists once it is there.
    """
    for name, text in files.items():
        write_text(folder.path / name, text)
    write_text(folder.data, json.dumps(identity.data, indent=1))  # also on continuing: images may lie elsewhere by now
    if folder.exists():
        return
    write_text(folder.begun, json.dumps({"format": FORMAT, "plugins": dict(identity.plugins)}, indent=1))
    write_text(folder.splits, json.dumps(identity.splits, indent=1))
    write_text(folder.space, yaml.safe_dump(identity.space.model_dump(mode="json"), sort_keys=False))


def _begun(folder: StudyFolder) -> dict[str, Any]:
    """Return what was written down when a study began.

    Raises:
        StudyError: another version of Foldrace wrote it, or its folds advance in lockstep.
    """
    if not folder.begun.is_file():
        raise StudyError(
            f"{folder.path}: was begun by an earlier version of Foldrace (it has no {folder.begun.name}); go on with that"
            f" version, {_WAY_OUT}"
        )
    begun = folder.facts(folder.begun, ("format",))
    if begun["format"] not in READABLE_FORMATS:
        raise StudyError(
            f"{folder.begun}: is of format {begun['format']}, this version of Foldrace reads formats"
            f" {READABLE_FORMATS[0]} to {FORMAT}; take the version that wrote it, {_WAY_OUT}"
        )
    if begun.get("fold_order") == "lockstep":
        raise StudyError(
            f"{folder.path}: trains its folds in lockstep, which this version cannot; take the version that began it, {_WAY_OUT}"
        )
    return folder.facts(folder.begun, ("plugins",))
