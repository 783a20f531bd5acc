"""Print a study's leaderboard: every trial that has a score, the best first.

    python -m analysis.leaderboard results/age
    python -m analysis.leaderboard results/age --top 20
    python -m analysis.leaderboard results/age --csv age.csv
    python -m analysis.leaderboard results/age --json

Works while the search runs, and afterwards.
"""
# PYTHON_ARGCOMPLETE_OK

import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis.leaderboard.rows import Row, leaderboard, leaderboard_table
from analysis.reading.opened import OpenedStudy, open_study
from command_line.console import console, say, say_error
from command_line.parser import command_parser, parsed


def main() -> int:
    """Print the leaderboard; return the exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("study", type=Path, help="folder of the study, such as results/age")
    printed = parser.add_argument_group("what is printed")
    printed.add_argument("--top", type=int, default=10, metavar="N", help="trials in the table (default: 10)")
    form = printed.add_mutually_exclusive_group()
    form.add_argument("--csv", type=Path, metavar="FILE", help="write all trials, a row each")
    form.add_argument("--json", action="store_true", help="print all trials, a list of objects")
    arguments = parsed(parser)
    try:
        study = open_study(arguments.study)
        rows = leaderboard(study.state, study.rungs, study.space.metric)
        if arguments.json:
            print(json.dumps(flat_rows(rows, study), indent=1))
        elif arguments.csv:
            write_csv(arguments.csv, flat_rows(rows, study))
            say(f"{len(rows)} trials -> {arguments.csv}")
        elif rows:
            console.print(leaderboard_table(rows, arguments.top))
        else:
            say(f"{study.folder.name}: no trial has a score yet.")
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    return 0


def flat_rows(rows: Sequence[Row], study: OpenedStudy) -> list[dict[str, Any]]:
    """Return rows for other programs: scores as the metric is read, parameters by name."""
    return [
        {
            **{
                "place": place,
                "trial": row.trial,
                "from": row.origin,
                "fold_epochs": row.fold_epochs,
                "folds": row.folds,
            },
            **{row.metric.name: row.metric.shown(row.score), "spread": row.spread},
            **{"seconds": round(sum(epoch.seconds for epoch in study.state.trials[row.trial].epochs), 1)},
            **study.space.active(study.state.trials[row.trial].configuration),
        }
        for place, row in enumerate(rows, 1)
    ]


def write_csv(file: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows whose columns may differ; what a trial does not have is empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with open(file, "w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
