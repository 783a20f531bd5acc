"""Print what differs between two trials: their knobs, their scores fold by fold, and whether that is more than luck.

python -m analysis.compare results/age 0 14
python -m analysis.compare results/age 0 14 --json
"""
# PYTHON_ARGCOMPLETE_OK

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from analysis.leaderboard.rows import Row, is_tie, leaderboard, noise
from analysis.reading.knobs import effective_knobs
from analysis.reading.opened import OpenedStudy, open_study
from analysis.reading.words import spell_value
from command_line.commands import typed
from command_line.console import console, say, say_error
from command_line.parser import command_parser, parsed
from studies.errors import StudyError


@dataclass(frozen=True)
class Comparison:
    """Two trials: the knobs that differ, and their rows."""

    knobs: Mapping[str, tuple[Any, Any]]  # that do something in at least one of them; None: does nothing there
    one: Row
    other: Row

    @property
    def folds(self) -> list[tuple[float, float]]:
        """Return the scores of the folds that both have finished."""
        return list(zip(self.one.fold_scores, self.other.fold_scores, strict=False))

    def verdict(self) -> str:
        """Return which is ahead, and whether that is more than luck, in words."""
        better, worse = sorted((self.one, self.other), key=lambda row: (row.rung or (0, 0), row.score), reverse=True)
        if better.rung != worse.rung:
            return (
                f"Trial {better.trial} came further ({better.fold_epochs} against {worse.fold_epochs} fold-epochs): their"
                " scores do not compare."
            )
        if better.rung is None:
            return "Neither has come to a rung yet: their scores do not compare."
        if len(better.fold_scores) != len(worse.fold_scores):
            return "They were not judged on the same folds: their scores do not compare."
        ahead = f"Trial {better.trial} is {better.score - worse.score:.3f} ahead"
        if better.spread is None or worse.spread is None:
            return f"{ahead}; one fold alone does not tell how much of that is luck."
        tie = "a tie" if is_tie(better, worse) else "no tie"
        return f"{ahead}, {tie}: one time in four luck gives {noise(better, worse):.3f}."


def main() -> int:
    """Print the comparison; return the exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("study", type=Path, help="folder of the study, such as results/age")
    parser.add_argument("one", type=int, help="number of a trial")
    parser.add_argument("other", type=int, help="number of another")
    parser.add_argument_group("what is printed").add_argument("--json", action="store_true", help="print one object")
    arguments = parsed(parser)
    try:
        found = compared(open_study(arguments.study), arguments.one, arguments.other)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    if arguments.json:
        print(json.dumps(facts_of(found), indent=1))
        return 0
    console.print(knobs_table(found))
    if found.folds:
        console.print(folds_table(found))
    say(found.verdict())
    return 0


def compared(study: OpenedStudy, one: int, other: int) -> Comparison:
    """Return two trials of a study side by side.

    Raises:
        StudyError: there is no such trial, or one has no score yet.
    """
    rows = {row.trial: row for row in leaderboard(study.state, study.rungs, study.space.metric)}
    for number in (one, other):
        if study.trial(number) and number not in rows:
            raise StudyError(f"{study.folder.name}: trial {number} has no score to compare; {typed('show')} says why")
    ours, theirs = (effective_knobs(study.trial(number).configuration) for number in (one, other))
    names = [name for name in dict.fromkeys((*ours, *theirs)) if ours.get(name) != theirs.get(name)]
    return Comparison({name: (ours.get(name), theirs.get(name)) for name in names}, rows[one], rows[other])


def facts_of(found: Comparison) -> dict[str, Any]:
    """Return a comparison for other programs."""
    shown = found.one.metric.shown
    return {
        "trials": [found.one.trial, found.other.trial],
        "knobs": {name: list(values) for name, values in found.knobs.items()},
        found.one.metric.name: [shown(row.score) for row in (found.one, found.other)],
        "folds": [[shown(one), shown(other)] for one, other in found.folds],
        "verdict": found.verdict(),
    }


def knobs_table(found: Comparison) -> Table:
    """Return the knobs that differ."""
    table = Table(title="What differs" if found.knobs else "No knob differs", title_justify="left")
    for column in ("knob", f"trial {found.one.trial}", f"trial {found.other.trial}"):
        table.add_column(column)
    for name, values in found.knobs.items():
        table.add_row(escape(name), *(_spelled(value) for value in values))
    return table


def folds_table(found: Comparison) -> Table:
    """Return the scores of the folds that both have finished, and the pooled ones."""
    metric = found.one.metric
    table = Table(title=f"{metric.title} fold by fold", title_justify="left")
    for column in ("fold", f"trial {found.one.trial}", f"trial {found.other.trial}", "difference"):
        table.add_column(column, justify="right")
    folds = [(str(fold), scores) for fold, scores in enumerate(found.folds, 1)]
    pairs = [*folds, ("pooled", (found.one.score, found.other.score))]
    for name, (one, other) in pairs:
        difference = metric.shown(other) - metric.shown(one)
        table.add_row(name, metric.spelled(one), metric.spelled(other), f"{difference:+.3f}")
    return table


def _spelled(value: object) -> str:
    return "-" if value is None else escape(spell_value(value))


if __name__ == "__main__":
    sys.exit(main())
