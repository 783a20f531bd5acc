"""What a study is searched under, from its own record: rungs, strategy and settings of its last launch.

Nothing is imported for it: a study of a plugin's strategy can be shown without the plugin.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from search_spaces import SearchSpace
from studies.record.events import ClimbStarted, Event, Launched, StrategyFacts
from studies.state.rungs import Rungs


@dataclass(frozen=True)
class SearchFacts:
    """The rungs and the strategy of a study's last launch."""

    rungs: Rungs
    strategy: StrategyFacts
    slots: int | None = None


def facts_of(space: SearchSpace, events: Iterable[Event]) -> SearchFacts:
    """Return the facts that the last launch recorded; of formats 1 to 4 the rungs are those that climbs were bound for."""
    facts = SearchFacts(
        _without_looks(space), StrategyFacts(name=space.search.scheduler, finalists=space.search.finalists)
    )
    bound_for = set[int]()
    for event in events:
        if isinstance(event, ClimbStarted) and event.fold == 0:
            bound_for.add(event.epoch)
        elif isinstance(event, Launched):
            facts = _facts_of_launch(event, space)
    if facts.slots is None:
        return SearchFacts(Rungs.of(facts.rungs.folds, facts.rungs.epochs, bound_for), facts.strategy)
    return facts


def _facts_of_launch(launch: Launched, space: SearchSpace) -> SearchFacts:
    if launch.rungs is None or launch.strategy is None:
        settings = {**space.search.model_dump(), **launch.settings}
        named = {name: settings[name] for name in ("grace_period", "looks", "keep", "race") if settings.get(name)}
        strategy = StrategyFacts(name=str(settings["scheduler"]), settings=named, finalists=int(settings["finalists"]))
        return SearchFacts(_without_looks(space), strategy)
    return SearchFacts(launch.rungs, launch.strategy, launch.slots)


def _without_looks(space: SearchSpace) -> Rungs:
    return Rungs.of(space.search.folds, int(space.recipe().get("epochs", 1)))
