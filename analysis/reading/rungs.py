"""The rung table: who came to each rung, who went on, whether its ranking was right, and what it cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import isnan

from rich.table import Table

from schedulers.agreement import rank_agreement
from studies.state.ranking import competitors, ranked_at
from studies.state.rungs import Rung, Rungs
from studies.state.search_facts import SearchFacts
from studies.state.study_state import StudyState

AGREES = 0.5  # Kendall's tau between two rungs from which a ranking is called right: three pairs of four in order
ENOUGH = 5  # trials that went on; below, a rank agreement says nothing


@dataclass(frozen=True)
class RungRow:
    """One rung; agreement is Kendall's tau of its ranking with a later one, among those that reached both."""

    rung: Rung
    reached: float
    went_on: float
    agrees_with_next: float | None
    agrees_with_top: float | None
    fold_epochs: float


def rung_table(study: StudyState, rungs: Rungs) -> list[RungRow]:
    """Return a row for every rung, the recipe left out."""
    rows, levels = list[RungRow](), rungs.levels
    trials = competitors(study)
    for below, rung, above in zip((None, *levels), levels, (*levels[1:], None), strict=False):
        reached, costs = ranked_at(trials, rung), (rungs.cost(below), rungs.cost(rung))
        rows.append(
            RungRow(
                rung=rung,
                reached=len(reached),
                went_on=sum(trial.fold_epochs > costs[1] for trial in reached),
                agrees_with_next=above and rank_agreement(trials, rung, above)[1],
                agrees_with_top=above and rank_agreement(trials, rung, rungs.top)[1],
                fold_epochs=sum(
                    min(trial.fold_epochs, costs[1]) - costs[0] for trial in trials if trial.fold_epochs > costs[0]
                ),
            )
        )
    return rows


def advice(study: StudyState, facts: SearchFacts) -> str | None:
    """Return which grace period would have been right where the first rung does not agree with the next."""
    rungs, grace_period = facts.rungs, facts.strategy.settings.get("grace_period")
    found = [(rung, *rank_agreement(competitors(study), rung, later)) for rung, later in pairwise(rungs.levels)]
    agreements = [(rung, tau if both >= ENOUGH else None) for rung, both, tau in found]
    if not agreements or agreements[0][1] is None or agreements[0][1] >= AGREES or grace_period is None:
        return None
    right = next((rung for rung, tau in agreements[1:] if tau is not None and tau >= AGREES), None)
    first, second = rungs.cost(rungs.first), rungs.cost(rungs.levels[1])
    better = min(rungs.epochs, (rungs.cost(right) if right else second) * int(grace_period) // first)
    so = "would have been right" if right else "is worth a try: too few trials went further to say more"
    return (
        f"The ranking after {first} fold-epochs says little about the one after {second} (Kendall's tau"
        f" {agreements[0][1]:.2f} among those that went on); --set search.grace_period={better} {so}."
    )


def rungs_shown(rows: Iterable[RungRow], rungs: Rungs) -> Table:
    """Return the rung table for the terminal; the rank agreements are Kendall's tau."""
    table = Table(title="Rungs", title_justify="left")
    for column in ("fold-epochs", "came", "went on", "agrees with next", "with top", "spent"):
        table.add_column(column, justify="right")
    for row in rows:
        agreements = (spell_agreement(row.agrees_with_next), spell_agreement(row.agrees_with_top))
        counts = (f"{row.reached:.3g}", f"{row.went_on:.3g}")
        table.add_row(str(rungs.cost(row.rung)), *counts, *agreements, f"{row.fold_epochs:.0f}")
    return table


def spell_agreement(agreement: float | None) -> str:
    """Return a rank agreement in two digits, nothing where there is none."""
    return "" if agreement is None or isnan(agreement) else f"{agreement:.2f}"
