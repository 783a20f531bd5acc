"""All studies of a folder: one line each, and their leaders side by side."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from analysis.figures.studies import studies_compared
from analysis.leaderboard.rows import chosen, is_tie, leaderboard
from analysis.page.contents.facts import status
from analysis.page.contents.tables import Table
from analysis.page.contents.watched import WatchedStudy
from analysis.reading.words import counted
from search_spaces.durations import spell_duration
from studies.state.shown_metric import shown_metric
from studies.study_folder import StudyFolder


def study_folders(results: Path) -> list[StudyFolder]:
    """Return the studies in a folder, by name."""
    places = [StudyFolder(path) for path in sorted(results.iterdir()) if path.is_dir()] if results.is_dir() else []
    return [folder for folder in places if is_study(folder)]


def is_study(folder: StudyFolder) -> bool:
    """Tell whether there is a study, or what is left of one: the page says which."""
    return folder.exists() or folder.record.exists()


def overview(
    results: Path, studies: Iterable[tuple[WatchedStudy, Sequence[str]]], broken: Iterable[tuple[str, str]]
) -> dict[str, Any]:
    """Return the page of all studies, each with its line; `broken` are names of others, each with what is wrong."""
    opened = list(studies)
    timelines = {
        study.folder.name: (study.history.timeline, shown_metric(study.history.space.metric, study.history.state))
        for study, _ in opened
        if study.history.timeline.scored
    }
    columns = ("study", "task", "status", "trials", "best", "the recipe", "ahead of it", "search time")
    return {
        "results": str(results),
        "table": Table(columns, [line for _, line in opened]).as_values(),
        "broken": [list(one) for one in broken],
        "figure": json.loads(studies_compared(timelines).to_json()) if timelines else None,
    }


def study_row(study: WatchedStudy) -> list[str]:
    """Return a study's line."""
    history, space = study.history, study.history.space
    rows = leaderboard(history.state, history.facts.rungs, space.metric)
    recipe = next((row for row in rows if row.origin == "recipe"), None)
    winner = chosen(rows)
    word, why = status(study)
    ahead = ""
    if rows and recipe is not None and rows[0] is not recipe and rows[0].rung == recipe.rung:
        tie = rows[0].spread is not None and is_tie(rows[0], recipe)
        ahead = f"{rows[0].score - recipe.score:+.3f}{' (a tie)' if tie else ''}"
    return [
        *(study.folder.name, space.task, f"{word}: {why}"),
        counted(len(history.state.trials), "trial"),
        "" if winner is None else f"{winner.metric.title} {winner.spelled()}, trial {winner.trial}",
        "" if recipe is None else recipe.metric.spelled(recipe.score),
        ahead,
        spell_duration(study.elapsed),
    ]
