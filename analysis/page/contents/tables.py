"""Tables of the page: the leaderboard, the rungs, failures. Rows of text under columns."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from analysis.leaderboard.rows import leaderboard
from analysis.page.contents.watched import History
from analysis.reading.rungs import rung_table, spell_agreement
from analysis.reading.words import spell_differences, spell_fold_epochs, spell_rung

_SHOWN = 50  # rows of the leaderboard; all are in `python -m analysis.leaderboard`


@dataclass(frozen=True)
class Table:
    """Rows of text under named columns, and what is said of them."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""

    def as_values(self) -> dict[str, Any]:
        """Return the table as plain JSON values."""
        return asdict(self)


def leaderboard_shown(history: History) -> Table:
    """Return the first trials with their scores, curves and parameters."""
    space, rungs, state = history.space, history.facts.rungs, history.state
    rows = leaderboard(state, rungs, space.metric)
    shown = [
        [
            *(str(place), str(row.trial), row.origin, spell_fold_epochs(row.fold_epochs, rungs)),
            *(row.metric.spelled(row.score), "" if row.spread is None else f"± {row.spread:.3f}"),
            spell_differences(space.active(state.trials[row.trial].configuration), space.recipe()),
        ]
        for place, row in enumerate(rows[:_SHOWN], 1)
    ]
    metric = rows[0].metric.title if rows else "score"
    note = f"the first {_SHOWN} of {len(rows)}" if len(rows) > _SHOWN else ""
    return Table(("place", "trial", "from", "trained", metric, "over folds", "differs from the recipe in"), shown, note)


def rungs_shown(history: History) -> Table:
    """Return the rung table: who came, who went on, and whether the ranking there was right."""
    rungs = history.facts.rungs
    rows = [
        [
            spell_rung(row.rung, rungs),
            *(f"{row.reached:.0f}", f"{row.went_on:.0f}"),
            *(spell_agreement(row.agrees_with_next), spell_agreement(row.agrees_with_top)),
            f"{row.fold_epochs:.0f}",
        ]
        for row in rung_table(history.state, rungs)
    ]
    columns = ("rung", "came", "went on", "agrees with next", "agrees with top", "fold-epochs spent")
    return Table(columns, rows, "without the recipe; agreement is Kendall's tau among those that reached both")


def failures_shown(history: History) -> Table:
    """Return the trials that are out, with the class of failure and the reason."""
    failed = [trial for trial in history.state.trials.values() if trial.failure is not None]
    rows = [[str(trial.number), trial.failure or "", trial.reason or ""] for trial in failed]
    return Table(("trial", "failure", "reason"), rows)
