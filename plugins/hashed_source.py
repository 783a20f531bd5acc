"""Import a plugin from the very bytes that were hashed: compiled files beside its source have no part in it."""

import sys
from collections.abc import Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

from plugins.sources import Plugin, source_files


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
        self._specs: dict[
            str, tuple[Path, bytes, bool]
        ] = {}  # by name: the file, its content, and whether it is a package

    def add(self, plugin: Plugin, contents: Mapping[Path, bytes]) -> None:
        """Know the modules of a plugin by the content of its files."""
        for file, content in contents.items():
            if file.suffix == ".py":
                name, is_package = module_name(plugin, file)
                self._specs[name] = (file, content, is_package)

    def forget(self, name: str) -> None:
        """Know no module of a plugin any more."""
        self._specs = {module: spec for module, spec in self._specs.items() if module.partition(".")[0] != name}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how a plugin's module is made, None for any other."""
        if fullname not in self._specs:
            return None
        file, content, is_package = self._specs[fullname]
        spec = spec_from_loader(fullname, HashedSource(file, content), origin=str(file), is_package=is_package)
        assert spec is not None, "it has a loader"
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [str(file.parent)]
        return spec


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
