"""What a launch that goes on with a study keeps of it, and what it takes from the command line and the space file.

| of the study | of this launch |
|---|---|
| its profile and the defaults of knobs (the space is resolved under them) | budgets, listeners, the strategy and its settings |
| sizes that followed from the data, for knobs that say auto | |
| its portfolio, unless the space names another | a portfolio that the space names |
| its sampler with its options, unless the command line sets one | `--set search.sampler...` |
| looks and keep of the fold ladder, unless the space states them | `search.looks`, `search.keep` |
"""

from collections.abc import Iterable
from typing import Any

from schedulers.strategies.fold_ladder import INFORMED, UNINFORMED
from search_spaces import SearchSpace
from search_spaces.portfolio import NONE


def continued(space: SearchSpace, stored: SearchSpace, overrides: Iterable[str] = ()) -> SearchSpace:
    """Return the space under which a study goes on.

    space: as resolved for this launch. stored: as the study began. overrides: `KEY=VALUE` of the command line.
    """
    if space.sized_by_data and not space.sized:
        recipe = stored.recipe()
        space = space.with_sizes({name: int(recipe[name]) for name in space.sized_by_data})
    search, kept = space.search, dict[str, Any]()
    if search.portfolio is None:
        kept["portfolio"] = stored.search.portfolio or NONE
    if not any(override.startswith("search.sampler") for override in overrides):
        kept |= {name: getattr(stored.search, name) for name in ("sampler", "sampler_options")}
    if search.scheduler == "fold_ladder":
        kept |= {name: value for name, value in _looks(stored).items() if getattr(search, name) is None}
    return space.model_copy(update={"search": search.model_copy(update=kept)})


def with_looks(space: SearchSpace, *, informed: bool) -> SearchSpace:
    """Return the space of a new study with the fold ladder's looks: as it says, or fewer where a portfolio informs it.

    They are written down with the study, so that they do not change with the portfolio's file.
    """
    if space.search.scheduler != "fold_ladder":
        return space
    looks = INFORMED if informed else UNINFORMED
    update = {name: value for name, value in looks.items() if getattr(space.search, name) is None}
    return space.model_copy(update={"search": space.search.model_copy(update=update)})


def _looks(stored: SearchSpace) -> dict[str, Any]:
    """Return the looks that a study began with; the first version that had portfolios went by their names."""
    older = INFORMED if stored.search.portfolio not in (None, NONE) else UNINFORMED
    return {name: getattr(stored.search, name) or older[name] for name in INFORMED}
