"""The plugins without which a bundle cannot vote: their sources are carried along."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from plugins import BACKBONES, METRICS, VOTE_RULES
from plugins.loading import loaded_plugin
from plugins.sources import Plugin, copy_source
from voting.bundle import PluginSpec
from voting.members import Chosen


def needed_plugins(chosen: Sequence[Chosen]) -> list[Plugin]:
    """Return the plugins that brought a member's backbone, a vote rule or a metric."""
    names = dict.fromkeys(name for one in chosen for name in _names(one) if name is not None)
    return [loaded_plugin(name) for name in names]


def pack_plugins(bundle: Path, chosen: Sequence[Chosen]) -> tuple[PluginSpec, ...]:
    """Copy the sources of the plugins that are needed into a bundle in the making."""
    return tuple(
        PluginSpec(
            name=plugin.name,
            source=copy_source(plugin, bundle / "plugins").relative_to(bundle).as_posix(),
            digest=plugin.digest,
        )
        for plugin in needed_plugins(chosen)
    )


def _names(one: Chosen) -> Iterator[str | None]:
    yield VOTE_RULES.plugin_of(one.rule)
    yield METRICS.plugin_of(one.candidates.metric.name)
    for trial in (*one.members, *([one.candidates.recipe] if one.candidates.recipe else [])):
        yield BACKBONES.plugin_of(str(trial.manifest.configuration["backbone"]))
