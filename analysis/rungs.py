"""The rung table: who came to each rung, who went on, whether its ranking was right, and what it cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.table import Table
from scipy.stats import kendalltau

from schedulers.ladder import Ladder, competitors, ranked_at
from schedulers.study_state import StudyState

AGREES = 0.5  # Kendall's tau between two rungs from which a ranking is called right: three pairs of four in order
ENOUGH = 5  # trials that went on; below, a rank agreement says nothing


@dataclass(frozen=True)
class RungRow:
    """One rung; `agreement` is Kendall's tau with the next rung among those that reached both."""

    rung: int
    reached: float
    went_on: float
    agreement: float | None
    fold_epochs: float


def rung_table(study: StudyState, ladder: Ladder) -> list[RungRow]:
    """Return a row for every rung, the recipe left out."""
    rows = []
    trials = competitors(study)
    for below, rung, above in zip((0, *ladder.rungs[:-1]), ladder.rungs, (*ladder.rungs[1:], None), strict=True):
        reached = ranked_at(trials, rung)
        spent = sum(min(trial.fold_epochs, rung) - below for trial in trials if trial.fold_epochs > below)
        further = sum(trial.fold_epochs > rung for trial in reached)
        agreement = None if above is None else rank_agreement(study, rung, above)
        rows.append(RungRow(rung, len(reached), further, agreement, spent))
    return rows


def rank_agreement(study: StudyState, rung: int, later: int) -> float | None:
    """Return Kendall's tau between two rungs among the trials that reached both, None with fewer than two."""
    both = ranked_at(competitors(study), later)
    if len(both) < 2:
        return None
    tau = float(kendalltau([trial.score_at(rung) for trial in both], [trial.score_at(later) for trial in both])[0])
    return None if tau != tau else tau


def advice(study: StudyState, ladder: Ladder) -> str | None:
    """Return which grace period would have been right where the first rung does not agree with later ones."""
    rungs = [rung for rung in ladder.rungs if rung <= ladder.epochs]
    for rung, later in pairwise(rungs):
        agreement = rank_agreement(study, rung, later)
        if len(ranked_at(competitors(study), later)) < ENOUGH or agreement is None or agreement >= AGREES:
            return None
        right = next((higher for higher in rungs if higher >= later and _agrees(study, higher, rungs)), ladder.epochs)
        return (
            f"The ranking after {rung} fold-epochs says little about the one after {later} (Kendall's tau {agreement:.2f} among"
            f" those that went on); --set search.grace_period={right} would have been right."
        )
    return None


def rungs_shown(rows: Iterable[RungRow]) -> Table:
    """Return the rung table for the terminal."""
    table = Table(title="Rungs", title_justify="left")
    for column in ("rung", "came", "went on", "agrees with the next", "fold-epochs"):
        table.add_column(column, justify="right")
    for row in rows:
        agreement = "" if row.agreement is None or row.agreement != row.agreement else f"{row.agreement:.2f}"
        counts = [f"{value:.0f}" if value == int(value) else f"{value:.1f}" for value in (row.reached, row.went_on)]
        table.add_row(str(row.rung), *counts, agreement, f"{row.fold_epochs:.0f}")
    return table


def _agrees(study: StudyState, rung: int, rungs: Sequence[int]) -> bool:
    later = [higher for higher in rungs if higher > rung]
    agreements = [rank_agreement(study, rung, higher) for higher in later[:1]]
    return all(agreement is None or agreement >= AGREES for agreement in agreements)
