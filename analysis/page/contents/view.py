"""Everything that the page shows of one study at one moment, as plain JSON values."""

import json
from collections.abc import Iterator
from typing import Any

from analysis.figures.best_so_far import best_so_far
from analysis.figures.ladder import ladder_picture
from analysis.figures.learning_curves import SHOWN, learning_curves
from analysis.leaderboard.rows import chosen, leaderboard
from analysis.page.contents.facts import facts as facts_shown
from analysis.page.contents.facts import status
from analysis.page.contents.notes import notes
from analysis.page.contents.tables import failures_shown, leaderboard_shown, rungs_shown
from analysis.page.contents.watched import History, WatchedStudy
from analysis.reading.words import spell_rung, spell_value, typed_path
from analysis.terminal.summary import verdict
from command_line.commands import typed
from studies.state.ranking import best_trial
from studies.state.shown_metric import shown_metric

_DECISIONS = 300  # the latest


def view(study: WatchedStudy) -> dict[str, Any]:
    """Return the page of a study."""
    history = study.history
    state, space, facts = history.state, history.space, history.facts
    word, why = status(study)
    return {
        "name": study.folder.name,
        "task": space.task,
        "status": word,
        "why": why,
        "notes": list(notes(study)),
        "facts": facts_shown(study),
        "best": best(history),
        "verdict": verdict(leaderboard(state, facts.rungs, space.metric), facts.rungs),
        "figures": {
            "ladder": _plain(ladder_picture(state, space, facts)),
            "best": _plain(best_so_far(history.timeline, state, space, facts.rungs)),
            "curves": _plain(learning_curves(state, space, facts.rungs)),
        },
        "curves_shown": SHOWN,
        "tables": {
            "leaderboard": leaderboard_shown(history).as_values(),
            "rungs": rungs_shown(history).as_values(),
            "failures": failures_shown(history).as_values(),
        },
        "decisions": [[told.time, told.words] for told in history.decisions[-_DECISIONS:]][::-1],
        "commands": list(commands(study)),
        "mirror": study.folder.mirror.exists(),
    }


def best(history: History) -> dict[str, Any] | None:
    """Return who leads: score, where, parameters beside the recipe's."""
    found = best_trial(history.state, history.facts.rungs)
    if found is None:
        return None
    trial, rung, score = found
    space, metric = history.space, shown_metric(history.space.metric, history.state)
    recipe = space.recipe()
    return {
        "trial": trial.number,
        "origin": trial.origin,
        "metric": metric.title,
        "score": metric.spelled(score),
        "after": spell_rung(rung, history.facts.rungs),
        "knobs": [
            [name, spell_value(value), "" if value == recipe.get(name) else spell_value(recipe.get(name))]
            for name, value in space.active(trial.configuration).items()
        ],
    }


def commands(study: WatchedStudy) -> Iterator[tuple[str, str]]:
    """Yield what can be done from a terminal, and the command; the page itself changes nothing."""
    place = typed_path(study.folder.path)
    rows = leaderboard(study.history.state, study.history.facts.rungs, study.history.space.metric)
    winner = chosen(rows)
    number = winner.trial if winner else 0
    if study.running:
        climbing = [trial.number for trial in study.history.state.climbing() if trial.origin != "recipe"]
        yield "stop after the epochs that run", f"{typed('control')} {place} stop"
        yield "take a trial out", f"{typed('control')} {place} stop-trial {climbing[0] if climbing else 'NUMBER'}"
    yield "try configurations of your own", f"{typed('control')} {place} add mine.yaml"
    yield "change the budget", f"{typed('control')} {place} budget --trials 60 --time-budget 2h"
    yield "everything about a trial", f"{typed('show')} {place} {number}"
    if other := next((row.trial for row in rows if row.trial != number), None):
        yield "two trials side by side", f"{typed('compare')} {place} {other} {number}"
    yield "a trial as a space of its own", f"{typed('config')} {place} {number}"


def _plain(figure: Any) -> Any:
    """Return a plotly figure as JSON values."""
    return json.loads(figure.to_json())
