"""Print everything about one trial: where it stands, its parameters beside the recipe's, and every fold's curve.

    python -m analysis.show results/age 14
    python -m analysis.show results/age 14 --json

Works while the search runs, and afterwards.
"""
# PYTHON_ARGCOMPLETE_OK

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from analysis.leaderboard.rows import leaderboard
from analysis.reading.opened import OpenedStudy, open_study
from analysis.reading.words import spell_value
from analysis.terminal.sparkline import sparkline
from command_line.console import console, say_error
from command_line.parser import command_parser, parsed
from search_spaces.durations import spell_duration
from studies.metrics import Metric
from studies.record.events import EpochScored
from studies.state.shown_metric import shown_metric
from studies.state.trial_state import TrialState


def main() -> int:
    """Print the trial; return the exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("study", type=Path, help="folder of the study, such as results/age")
    parser.add_argument("trial", type=int, help="its number")
    parser.add_argument_group("what is printed").add_argument("--json", action="store_true", help="print one object")
    arguments = parsed(parser)
    try:
        study = open_study(arguments.study)
        trial = study.trial(arguments.trial)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    if arguments.json:
        print(json.dumps(facts_of(study, trial), indent=1))
    else:
        console.print(described(study, trial))
    return 0


def facts_of(study: OpenedStudy, trial: TrialState) -> dict[str, Any]:
    """Return a trial for other programs."""
    metric = shown_metric(study.space.metric, study.state)
    return {
        **{"trial": trial.number, "from": trial.origin, "standing": standing(study, trial)},
        **{"configuration": trial.configuration, "failure": trial.failure, "reason": trial.reason},
        "epochs": [
            {
                **{"fold": epoch.fold, "epoch": epoch.epoch, metric.name: metric.shown(epoch.score)},
                **epoch.model_dump(include={"loss", "learning_rate", "images_per_second", "seconds"}),
            }
            for epoch in trial.epochs
        ],
        "rungs": [
            {"folds": rung.folds, "epoch": rung.epoch, metric.name: metric.shown(score)}
            for rung, score in sorted(trial.scores.items())
        ],
    }


def described(study: OpenedStudy, trial: TrialState) -> RenderableType:
    """Return a trial as people read it."""
    parts: list[RenderableType] = [
        escape(f"Trial {trial.number} of {study.folder.name} ({trial.origin}): {standing(study, trial)}")
    ]
    if trial.failure is not None:
        parts.append(escape(f"It failed ({trial.failure}): {trial.reason}"))
    parts.append(_parameters(study, trial))
    if trial.epochs:
        parts.append(_folds(study, trial))
    return Group(*parts)


def standing(study: OpenedStudy, trial: TrialState) -> str:
    """Return how far a trial came and which place it has, in words."""
    rows = leaderboard(study.state, study.rungs, study.space.metric)
    place = next((place for place, row in enumerate(rows, 1) if row.trial == trial.number), None)
    if place is None:
        return "failed" if trial.failure is not None else "no score yet"
    row = rows[place - 1]
    far = f"{row.fold_epochs} of {study.rungs.whole} fold-epochs{', climbing' if trial.climbing else ''}"
    return f"{row.metric.title} {row.spelled()}, place {place} of {len(rows)}, {far}"


def _parameters(study: OpenedStudy, trial: TrialState) -> Table:
    recipe, table = study.space.recipe(), Table(title="Parameters", title_justify="left")
    for column in ("parameter", "value", "the recipe's, where it differs"):
        table.add_column(column)
    for name, value in study.space.active(trial.configuration).items():
        table.add_row(escape(name), _spelled(value), "" if value == recipe.get(name) else _spelled(recipe.get(name)))
    return table


def _spelled(value: object) -> str:
    return escape(spell_value(value))


def _folds(study: OpenedStudy, trial: TrialState) -> Table:
    metric = shown_metric(study.space.metric, study.state)
    table = Table(title=f"{metric.title} of every fold", title_justify="left")
    for column in ("fold", "epochs", "curve", "last", "loss", "images/s", "time"):
        table.add_column(column, justify="left" if column == "curve" else "right", no_wrap=True)
    for fold in sorted({epoch.fold for epoch in trial.epochs}):
        table.add_row(*_fold([epoch for epoch in trial.epochs if epoch.fold == fold], metric))
    return table


def _fold(epochs: list[EpochScored], metric: Metric) -> list[str]:
    scores = [epoch.score for epoch in epochs]
    last, took = epochs[-1], sum(epoch.seconds for epoch in epochs)
    return [
        *(str(last.fold + 1), str(len(epochs)), sparkline(scores), metric.spelled(scores[-1])),
        "" if last.loss is None else f"{last.loss:.3f}",
        "" if last.images_per_second is None else f"{last.images_per_second:.0f}",
        spell_duration(took),
    ]


if __name__ == "__main__":
    sys.exit(main())
