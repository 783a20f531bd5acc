"""From a space's search settings to the budget that they mean, and what of it may change while a search runs."""

from pydantic import ValidationError

from plugins.names import name_hint
from schedulers.spending.budget import Budget
from search_spaces import SearchSettings, SearchSpace, SpaceError
from search_spaces.errors import explain
from studies.metrics import METRICS
from studies.record.requests import ChangeBudget, Request

BUDGETS = ("trials", "time_budget", "fold_epochs", "target_score", "worth", "disk_budget")  # may change while it runs


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
