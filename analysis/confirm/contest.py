"""Who is trained again: the recipe, the winner, and the steps from one to the other, a knob at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.leaderboard.rows import chosen, leaderboard
from schedulers.search_settings import make_ladder
from studies.record import read_record
from studies.study_folder import StudyError, StudyFolder
from studies.study_state import StudyState

RECIPE, WINNER = "recipe", "winner"


@dataclass(frozen=True)
class Contest:
    """Configurations by name, the recipe first and the winner last, and by how much the search saw the winner ahead."""

    configurations: Mapping[str, dict[str, Any]]
    trial: int
    seen: float
    metric: str


def contest_of(folder: StudyFolder, *, path: bool = False) -> Contest:
    """Return who is to be trained again; with `path` also every step on the way, knobs in the order of the space.

    Raises:
        StudyError: no trial has gone the whole way, the recipe has not, or nothing beat it.
    """
    space = folder.stored_space()
    state, ladder = StudyState(read_record(folder.record)), make_ladder(space)
    whole = [row for row in leaderboard(state, ladder, space.metric) if row.rung >= ladder.top]
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
    return Contest({RECIPE: first, **between, WINNER: last}, best.trial, best.score - recipe.score, space.metric)


def steps(first: Mapping[str, Any], last: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the configurations between two that differ by one knob from the one before, each named by its change."""
    changed = [name for name in last if first.get(name) != last[name]]
    configurations, reached = dict[str, dict[str, Any]](), dict(first)
    for name in changed[:-1]:  # the last change makes the winner
        reached = {**reached, name: last[name]}
        configurations[f"{name} {last[name]}"] = reached
    return configurations
