"""The plugins without which a bundle cannot vote: their sources are carried along."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from plugins import BACKBONES, HEADS, METRICS, VOTE_RULES
from plugins.loading import loaded_plugin
from plugins.sources import Plugin, copy_source
from voting.bundle.specs import PluginSpec
from voting.candidates.trials import Candidate
from voting.ensemble.members import Chosen


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
    yield VOTE_RULES.plugin_of(one.rule.name)
    yield METRICS.plugin_of(one.candidates.metric.name)
    for trial in one.members:
        yield from brought_by(trial)


def brought_by(trial: Candidate) -> Iterator[str | None]:
    """Yield the plugins that brought a trial's backbone and head."""
    yield BACKBONES.plugin_of(str(trial.stored.configuration["backbone"]))
    yield HEADS.plugin_of(str(trial.stored.configuration.get("head", "classification")))


def plugins_to_compare_with(chosen: Sequence[Chosen]) -> list[Plugin]:
    """Return the plugins that recipes and best trials need, which are compared with whether they vote or not."""
    trials = [trial for one in chosen for trial in (one.best, one.candidates.recipe) if trial is not None]
    names = dict.fromkeys(name for trial in trials for name in brought_by(trial) if name is not None)
    return [loaded_plugin(name) for name in names]
