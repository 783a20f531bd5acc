"""From a space's search settings to the strategy that they mean."""

from collections.abc import Mapping
from typing import Any

from plugins.registry import PluginError, checked_options
from schedulers.strategies import STRATEGIES, settings_of
from schedulers.strategy import Strategy
from search_spaces import SearchSettings, SearchSpace, SpaceError

OF_STRATEGIES = ("grace_period", "looks", "keep", "reduction_factor", "race")  # each of some strategies, not of all


def make_strategy(space: SearchSpace) -> Strategy:
    """Return the strategy that a space's search settings name, on its epochs and folds.

    Raises:
        SpaceError: there is no such strategy, or it lacks a setting that was stated.
    """
    search = space.search
    if search.scheduler not in STRATEGIES:
        raise SpaceError(space.name, "search.scheduler", STRATEGIES.unknown(search.scheduler))
    strategy = STRATEGIES[search.scheduler]
    stated = {name: value for name in OF_STRATEGIES if (value := getattr(search, name)) is not None}
    for name in stated:
        if name not in settings_of(strategy):
            has = ", ".join(settings_of(strategy))
            wrong = f"the strategy {search.scheduler} has no such setting, it has {has}; take it out, or --set search.{name}=null"
            raise SpaceError(space.name, f"search.{name}", wrong)
    try:
        _refuse_settings(search.scheduler_options)
        options = checked_options(strategy, search.scheduler_options)
        return strategy(
            int(space.complete({})["epochs"]),
            search.folds,
            finalists=search.finalists,
            **stated,
            **options,
        )
    except (PluginError, TypeError) as error:
        raise SpaceError(space.name, "search.scheduler_options", str(error)) from None


def _refuse_settings(options: Mapping[str, Any]) -> None:
    for name in options:
        if name in SearchSettings.model_fields:
            raise PluginError(f"{name}: is a setting of its own; say search.{name}")
