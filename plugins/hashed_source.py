"""Import a plugin from the very bytes that were hashed: compiled files beside its source have no part in it."""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec, spec_from_file_location, spec_from_loader
from pathlib import Path
from types import ModuleType

from plugins.sources import Plugin, source_files

EXTENSION_ENDINGS = tuple({"." + suffix.rpartition(".")[2] for suffix in EXTENSION_SUFFIXES})


class HashedSource(Loader):
    """Runs the source of one module, compiled here."""

    def __init__(self, path: Path, content: bytes) -> None:
        self._path, self._content = path, content

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Leave it to Python to make the module."""
        return None

    def exec_module(self, module: ModuleType) -> None:
        """Run the source in the module."""
        exec(compile(self._content, str(self._path), "exec", dont_inherit=True), module.__dict__)


class PluginModules(MetaPathFinder):
    """Finds the modules inside the plugins that are loaded, before Python looks beside their source."""

    def __init__(self) -> None:
        self._specs: dict[str, tuple[Path, bytes, bool]] = {}  # by name: file, content, whether it is a package
        self._folders: dict[str, Path] = {}  # by name: folders without an __init__.py, of which modules are known
        self._compiled: dict[str, list[Path]] = {}  # extension modules, which are hashed as the source is, by name

    def add(self, plugin: Plugin, contents: Mapping[Path, bytes]) -> None:
        """Know the modules of a plugin by the content of its files."""
        for file, content in contents.items():
            name, is_package = module_name(plugin, file)
            if file.suffix == ".py":
                self._specs[name] = (file, content, is_package)
            elif file.suffix in EXTENSION_ENDINGS:
                self._compiled.setdefault(name.partition(".cpython")[0].partition(".abi")[0], []).append(file)
        for file in (file for file in contents if plugin.path.is_dir() and file.suffix == ".py"):
            for folder in (above for above in file.parents if above.is_relative_to(plugin.path)):
                name = ".".join((plugin.name, *folder.relative_to(plugin.path).parts))
                self._folders.setdefault(name, folder)

    def forget(self, name: str) -> None:
        """Know no module of a plugin any more."""
        self._specs = {module: spec for module, spec in self._specs.items() if module.partition(".")[0] != name}
        self._folders = {module: place for module, place in self._folders.items() if module.partition(".")[0] != name}
        self._compiled = {module: files for module, files in self._compiled.items() if module.partition(".")[0] != name}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a plugin's module is made, None for a module of anything else.

        Raises:
            ModuleNotFoundError: it would be one of a plugin that was not hashed, such as a compiled file alone.
        """
        if fullname.partition(".")[0] not in self._specs:
            return None
        if fullname in self._compiled:
            return self._extension(fullname)
        if fullname not in self._specs:
            if fullname not in self._folders:
                raise ModuleNotFoundError(f"No module named {fullname!r} among the hashed files", name=fullname)
            space = ModuleSpec(fullname, None, is_package=True)
            space.submodule_search_locations = [str(self._folders[fullname])]
            return space
        file, content, is_package = self._specs[fullname]
        spec = spec_from_loader(fullname, HashedSource(file, content), origin=str(file), is_package=is_package)
        assert spec is not None, "it has a loader"
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [str(file.parent)]
        return spec

    def _extension(self, fullname: str) -> ModuleSpec:
        """Return the spec of an extension module: its file was hashed, and its ending is one of this Python's."""
        for file in self._compiled[fullname]:
            if any(file.name == fullname.rpartition(".")[2] + suffix for suffix in EXTENSION_SUFFIXES):
                spec = spec_from_file_location(fullname, file, loader=ExtensionFileLoader(fullname, str(file)))
                assert spec is not None, "it has a loader"
                return spec
        raise ModuleNotFoundError(f"No module named {fullname!r} that this Python can load", name=fullname)


MODULES = PluginModules()


def import_hashed(plugin: Plugin) -> None:
    """Import a plugin's module from its hashed source.

    Raises:
        PluginError: the source was changed since it was hashed.
        Exception: whatever the plugin raises.
    """
    if MODULES not in sys.meta_path:
        sys.meta_path.insert(0, MODULES)
    MODULES.add(plugin, source_files(plugin))
    spec = MODULES.find_spec(plugin.name, None)
    assert spec is not None, "a plugin has an entry"
    assert spec.loader is not None, "it was made with one"
    module = sys.modules[plugin.name] = module_from_spec(spec)
    spec.loader.exec_module(module)


def module_name(plugin: Plugin, file: Path) -> tuple[str, bool]:
    """Return the name of the module that a file of a plugin is, and whether it is a package."""
    if plugin.path.is_file():
        return plugin.name, False
    parts = file.relative_to(plugin.path).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return ".".join((plugin.name, *(parts[:-1] if is_package else parts))), is_package
