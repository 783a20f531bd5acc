"""Import plugins: the same source once, under its own name, with what it registers known to be its own."""

import sys
from collections.abc import Iterable
from importlib.machinery import PathFinder
from pathlib import Path
from traceback import extract_tb

from plugins.hashed_source import MODULES, import_hashed
from plugins.kinds import REGISTRIES
from plugins.registry import PluginError, registering
from plugins.sources import Plugin, find_plugin

_OURS = Path(__file__).resolve().parents[1]
_loaded: dict[str, Plugin] = {}


def load_plugins(names: Iterable[str], near: Path) -> tuple[Plugin, ...]:
    """Import modules by name (see `find_plugin`) and return what was loaded, in their order."""
    return tuple(load_plugin(find_plugin(name, near)) for name in dict.fromkeys(names))


def load_plugin(plugin: Plugin) -> Plugin:
    """Import a plugin, unless its very source is loaded already.

    Raises:
        PluginError: it cannot be imported, its name is that of another module, or another version of it is loaded.
    """
    before = _loaded.get(plugin.name)
    if before is not None and before.digest == plugin.digest:
        return plugin
    if before is not None:
        raise PluginError(f"plugin {plugin.name}: {plugin.path} differs from {before.path}, which is loaded already")
    _refuse_taken_name(plugin)
    try:
        with registering(plugin.name):
            import_hashed(plugin)
    except PluginError as error:
        unload_plugin(plugin.name)
        raise PluginError(f"plugin {plugin.name}: {plugin.entry}: {error}") from None
    except (Exception, SystemExit) as error:  # whatever a user's module does
        unload_plugin(plugin.name)
        raise PluginError(f"plugin {plugin.name}: {_place(plugin, error)}: {type(error).__name__}: {error}") from None
    _loaded[plugin.name] = plugin
    return plugin


def loaded_plugin(name: str) -> Plugin:
    """Return a plugin that is loaded."""
    return _loaded[name]


def is_loaded(plugin: Plugin) -> bool:
    """Tell whether the very source of a plugin is loaded."""
    before = _loaded.get(plugin.name)
    return before is not None and before.digest == plugin.digest


def unload_plugin(name: str) -> None:
    """Let go of a plugin and of all that it registered."""
    for registry in REGISTRIES:
        registry.forget(name)
    MODULES.forget(name)
    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]
    _loaded.pop(name, None)


def _refuse_taken_name(plugin: Plugin) -> None:
    """Refuse a plugin that would hide another module, or that an earlier plugin has imported on its own."""
    before = sys.modules.get(plugin.name)
    if before is not None and getattr(before, "__file__", None) == str(plugin.entry):
        raise PluginError(f"plugin {plugin.name}: another plugin imports it; list {plugin.name} first")
    if before is not None or plugin.name in sys.stdlib_module_names or _is_installed(plugin):
        raise PluginError(f"plugin {plugin.name}: {plugin.path} has the name of another module; rename the file")


def _is_installed(plugin: Plugin) -> bool:
    """Tell whether an installed package, or one of ours, has a plugin's name; the plugin's own source elsewhere is none."""
    found = PathFinder.find_spec(plugin.name)
    origin = None if found is None else found.origin
    if origin is None or origin == str(plugin.entry):
        return False
    homes = (Path(sys.prefix), Path(sys.base_prefix), _OURS / plugin.name)
    return any(Path(origin).is_relative_to(home) for home in homes)


def _place(plugin: Plugin, error: BaseException) -> str:
    """Return the file and line of the plugin where an import went wrong."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    root = plugin.path if plugin.path.is_dir() else plugin.entry
    lines = [frame for frame in extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(root)]
    return f"{lines[-1].filename}:{lines[-1].lineno}" if lines else str(plugin.entry)
