"""What an export prints beside its promises: which methods were tried, and how far probabilities are off."""

from collections.abc import Iterator, Sequence

from rich.table import Table

from voting.ensemble.members import Chosen
from voting.rules.joint import JOINT_TASKS


def methods_table(chosen: Sequence[Chosen]) -> Table:
    """Return every method that was tried on every task, with its cross-fitted score."""
    joint = all(task in {one.task for one in chosen} for task in JOINT_TASKS)
    table = Table(title=f"Ways to vote{', scored by the joint classes' if joint else ''}", title_justify="left")
    table.add_column("task", no_wrap=True)
    table.add_column("method", no_wrap=True)
    for column in ("voters", "cross-fitted", "where fitted"):
        table.add_column(column, no_wrap=True, justify="right")
    for one in chosen:
        if one.explained is None:
            continue
        for tried in one.explained.tried:
            label, taken = tried.method.label, tried.method.label == one.explained.ensemble.method
            style = "bold" if taken else None
            figures = (f"{tried.voters}", f"{abs(tried.score):.3f}", f"{abs(tried.seen):.3f}")
            table.add_row(one.task, f"{label}{' (taken)' if taken else ''}", *figures, style=style)
        table.add_section()
    return table


def calibration_lines(chosen: Sequence[Chosen]) -> Iterator[str]:
    """Yield by how much every task's probabilities are off, before and after its temperature."""
    for one in chosen:
        found = one.explained
        if found is not None:
            yield (
                f"{one.task}: expected calibration error {found.error_before:.3f}, {found.error_after:.3f} at temperature"
                f" {one.decision.temperature:.2f} (cross-fitted)"
            )
