"""The plugins without which a bundle cannot vote: their sources are carried along."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from plugins import BACKBONES, HEADS, METRICS, VOTE_RULES
from plugins.loading import loaded_plugin
from plugins.sources import Plugin, copy_source
from voting.bundle.manifest import PluginSpec
from voting.finished_trials import FinishedTrial
from voting.members import Chosen


def needed_plugins(chosen: Sequence[Chosen]) -> list[Plugin]:
    """Return the plugins that brought a member's backbone or head, a vote rule or a metric."""
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
    for trial in one.members:
        yield from brought_by(trial)


def brought_by(trial: FinishedTrial) -> Iterator[str | None]:
    """Yield the plugins that brought a trial's backbone and head."""
    yield BACKBONES.plugin_of(str(trial.manifest.configuration["backbone"]))
    yield HEADS.plugin_of(str(trial.manifest.configuration.get("head", "classification")))


def plugins_to_compare_with(chosen: Sequence[Chosen]) -> list[Plugin]:
    """Return the plugins that the recipes need, which are compared with whether they vote or not."""
    recipes = [one.candidates.recipe for one in chosen if one.candidates.recipe is not None]
    names = dict.fromkeys(name for recipe in recipes for name in brought_by(recipe) if name is not None)
    return [loaded_plugin(name) for name in names]
