"""Who is trained again: the recipe, the winner, and the steps from one to the other, a knob at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.leaderboard.rows import chosen, leaderboard
from analysis.reading.opened import open_study
from studies.errors import StudyError
from studies.study_folder import StudyFolder

RECIPE, WINNER = "recipe", "winner"


@dataclass(frozen=True)
class Contest:
    """Configurations by name, the recipe first and the winner last, and by how much the search saw the winner ahead."""

    configurations: Mapping[str, dict[str, Any]]
    trial: int
    seen: float
    metric: str
    precision: str | None = None  # what `auto` stands for in the study
    micro_batches: int = 1  # parts in which the search had to train a batch


def contest_of(folder: StudyFolder, *, path: bool = False) -> Contest:
    """Return who is to be trained again; with `path` also every step on the way, knobs in the order of the space.

    Raises:
        StudyError: no trial has gone the whole way, the recipe has not, or nothing beat it.
    """
    study = open_study(folder.path)
    space, state, rungs = study.space, study.state, study.rungs
    whole = [row for row in leaderboard(state, rungs, space.metric) if row.rung == rungs.top]
    recipe = next((row for row in whole if row.origin == "recipe"), None)
    if recipe is None:
        raise StudyError(
            f"{folder.path}: the recipe has not trained all folds, so there is nothing to confirm against; go on with the search"
        )
    winner = chosen(whole)
    best = whole[0] if winner is None or winner.origin == "recipe" else winner
    if best.origin == "recipe":
        raise StudyError(
            f"{folder.path}: no trial is ahead of the recipe, so there is no gain to confirm; go on with a larger --trials"
        )
    first, last = state.trials[recipe.trial].configuration, state.trials[best.trial].configuration
    between = steps(first, last) if path else {}
    parts = max(state.trials[row.trial].micro_batches for row in (recipe, best))
    configurations = {RECIPE: first, **between, WINNER: last}
    return Contest(configurations, best.trial, best.score - recipe.score, space.metric, state.precision, parts)


def steps(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the configurations between two that differ by one knob from the one before, each named by its change.

    Options that come and go with a knob (`optimizer_options.*` with the optimizer) change with it.
    """
    changed = [name for name in dict.fromkeys((*first, *last)) if first.get(name) != last.get(name)]
    steps = [name for name in changed if _owner(name) not in changed]
    configurations, reached = dict[str, dict[str, Any]](), dict(first)
    for step in steps[:-1]:  # the last change makes the winner
        for name in (step, *(one for one in changed if _owner(one) == step)):
            reached = {one: value for one, value in reached.items() if one != name}
            reached |= {name: last[name]} if name in last else {}
        configurations[f"{step} {last.get(step)}"] = reached
    return configurations


def _owner(name: str) -> str | None:
    """Return the knob that an option belongs to, None of what is none."""
    return name.partition(".")[0].removesuffix("_options") if "." in name else None
