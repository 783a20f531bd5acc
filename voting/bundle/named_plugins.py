"""Plugins that a command line names: the code of a bundle runs only where the user has said so."""

from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from plugins.loading import load_plugin
from plugins.sources import named_plugin
from voting.bundle.specs import BundleError, BundleManifest


def load_named_plugins(bundle: Path, manifest: BundleManifest, named: Sequence[str]) -> None:
    """Import the plugins that a bundle needs, each only if the command line names it, by its source or its module.

    Raises:
        BundleError: one is not named, or what is named differs from what the bundle was exported with.
    """
    given = {plugin.name: plugin for plugin in map(named_plugin, named)}
    needed = {spec.name: spec for spec in manifest.plugins}
    for name in given.keys() - needed.keys():
        raise BundleError(f"--plugin {name}: {bundle} needs {', '.join(needed) or 'no plugin'}; leave it out")
    for name, spec in needed.items():
        if name not in given:
            raise BundleError(
                f"{bundle}: needs the plugin {name}, which is code that runs here; read {bundle / spec.source}, then name it:"
                f" --plugin {quote(str(bundle / spec.source))} (of an archive, after tar -xf NAME.tar {quote(spec.source)}:"
                f" --plugin {quote(spec.source)})"
            )
        if given[name].digest != spec.digest:
            raise BundleError(
                f"--plugin {given[name].path}: differs from the one that {bundle} was exported with; take"
                f" {bundle / spec.source}, or export again"
            )
        load_plugin(given[name])
