"""Where a plugin's source lies, and its hash: one file, or a folder with an `__init__.py`."""

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path

from plugins.registry import PluginError
from storage.atomic import make_folder, sync, write_file

COMPILED = (".pyc", ".pyo")  # never run, never hashed, and refused in bundles


LARGEST = 256 * 2**20  # bytes of all files of a plugin


@dataclass(frozen=True)
class Plugin:
    """A module by name, its source, and the sha256 over all of it."""

    name: str
    path: Path  # a .py file, or the folder of a package
    digest: str

    @property
    def entry(self) -> Path:
        """Return the file that is imported."""
        return self.path / "__init__.py" if self.path.is_dir() else self.path


def find_plugin(name: str, near: Path) -> Plugin:
    """Return the plugin of a name: from the folder `near` first (the space's, a study's), then from the Python path.

    Raises:
        PluginError: it is no module name, or there is no such module.
    """
    if not name.isidentifier():
        raise PluginError(f"plugin {name!r}: must be the name of one module, such as my_losses for my_losses.py")
    for path in sources_of(name, near):
        return plugin_at(path)
    spec = PathFinder.find_spec(name)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        raise PluginError(
            f"plugin {name}: there is no {name}.py in {near.absolute()} and no such module on the Python path;"
            " put the file beside the space"
        )
    origin = Path(spec.origin)
    return plugin_at(origin.parent if origin.name == "__init__.py" else origin)


def named_plugin(place: str) -> Plugin:
    """Return the plugin that an option names, by its source or as a module here or on the Python path."""
    path = Path(place)
    return plugin_at(path) if path.exists() else find_plugin(place, Path())


def sources_of(name: str, near: Path) -> list[Path]:
    """Return the file and the package in a folder that a plugin's name could mean."""
    paths = (near / f"{name}.py", near / name)
    return [path for path in paths if path.is_file() or (path / "__init__.py").is_file()]


def plugin_at(path: Path) -> Plugin:
    """Return the plugin whose source is a file or a package's folder.

    Raises:
        PluginError: there is neither.
    """
    if not (path.is_file() and path.suffix == ".py") and not (path / "__init__.py").is_file():
        raise PluginError(f"plugin {path}: is neither a Python file nor a folder with an __init__.py")
    return Plugin(path.stem, path.absolute(), source_digest(path))


def source_digest(path: Path) -> str:
    """Return the sha256 over the files of a plugin, by name and content."""
    return _digest(path, {file: file.read_bytes() for file in _files(path)})


def source_files(plugin: Plugin) -> dict[Path, bytes]:
    """Return the content of a plugin's files, by path.

    Raises:
        PluginError: the source was changed since it was hashed.
    """
    contents = {file: file.read_bytes() for file in _files(plugin.path)}
    if _digest(plugin.path, contents) != plugin.digest:
        raise PluginError(f"{plugin.path} was changed while this ran; start again")
    return contents


def _digest(path: Path, contents: Mapping[Path, bytes]) -> str:
    digest = hashlib.sha256()
    for file, content in contents.items():
        name = file.name if path.is_file() else file.relative_to(path).as_posix()
        digest.update(f"{name}\n{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def copy_source(plugin: Plugin, folder: Path) -> Path:
    """Copy the source of a plugin below a folder, in the place of an older copy, and return where it lies.

    A copy that is there already stays; another is whole and on the disk before it has its name.

    Raises:
        PluginError: the source was changed since it was loaded.
    """
    target, contents = folder / plugin.path.name, source_files(plugin)
    if target.exists() and source_digest(target) == plugin.digest:
        return target
    make_folder(folder)
    temporary = folder / f".{target.name}.torn"
    if plugin.path.is_file():
        write_file(target, temporary, lambda place: place.write_bytes(contents[plugin.path]))
        return target
    shutil.rmtree(temporary, ignore_errors=True)
    for file, content in contents.items():
        copy = temporary / file.relative_to(plugin.path)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(content)
        sync(copy)
    if target.is_dir():
        shutil.rmtree(target)
    temporary.rename(target)
    sync(folder)
    return target


def _files(path: Path) -> list[Path]:
    """Return all files of a plugin but what Python compiled; a package may link to other files, not to folders.

    Raises:
        PluginError: one of them is no regular file, or all together are more than code ever is.
    """
    if path.is_file():
        return [path]
    found = [Path(folder) / name for folder, _, names in os.walk(path) for name in names]
    files = sorted(file for file in found if "__pycache__" not in file.parts and file.suffix not in COMPILED)
    if odd := next((file for file in files if not file.is_file()), None):
        raise PluginError(f"{odd}: is no regular file; take it out of the plugin")
    if sum(file.stat().st_size for file in files) > LARGEST:
        raise PluginError(f"{path}: has more than {LARGEST // 2**20} MB; keep what is no code outside of the plugin")
    return files
