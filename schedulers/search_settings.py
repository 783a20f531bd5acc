"""From a space's search settings to the strategy and the budget that they mean."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from plugins.names import name_hint
from plugins.registry import PluginError, checked_options
from schedulers.ladder import Ladder
from schedulers.spending.budget import Budget
from schedulers.strategies import STRATEGIES, settings_of
from search_spaces import SearchSettings, SearchSpace, SpaceError
from search_spaces.errors import explain
from studies.metrics import METRICS
from studies.requests import ChangeBudget, Request

BUDGETS = ("trials", "time_budget", "fold_epochs", "target_score", "worth", "disk_budget")  # may change while it runs
OF_STRATEGIES = ("grace_period", "looks", "keep", "reduction_factor", "race")  # each of some strategies, not of all


def make_ladder(space: SearchSpace) -> Ladder:
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


def changed_space(space: SearchSpace, request: Request) -> SearchSpace:
    """Return a space under the budgets that a request asks for; the same space if it asks for something else.

    Raises:
        SpaceError: it asks for what is no budget, or no value of one.
    """
    if not isinstance(request, ChangeBudget):
        return space
    for name in request.settings:
        if name not in BUDGETS:
            raise SpaceError(space.name, f"search.{name}", f"is no budget; {name_hint(name, BUDGETS)}")
    try:
        search = SearchSettings.model_validate({**space.search.model_dump(), **request.settings})
        changed = SearchSpace.model_validate({**dict(space), "search": search})
    except ValidationError as error:
        raise SpaceError(space.name, *explain(error)) from None
    make_budget(changed)
    return changed


def _refuse_settings(options: Mapping[str, Any]) -> None:
    for name in options:
        if name in SearchSettings.model_fields:
            raise PluginError(f"{name}: is a setting of its own; say search.{name}")


def make_budget(space: SearchSpace) -> Budget:
    """Return the budget of a space.

    Raises:
        SpaceError: the target lies outside the metric's range.
    """
    search, metric = space.search, METRICS[space.metric]
    low, high = metric.range
    if search.target_score is not None and not low <= search.target_score <= high:
        wrong = f"a {metric.title} lies between {low:g} and {high:g} (got {search.target_score:g})"
        raise SpaceError(space.name, "search.target_score", wrong)
    return Budget(
        trials=search.trials,
        seconds=search.time_budget,
        fold_epochs=search.fold_epochs,
        target_score=None if search.target_score is None else metric.signed(search.target_score),
        worth=search.worth,
        metric=metric,
    )
