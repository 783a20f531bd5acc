"""The leaderboard: trials by how far they came, then by score, each score with its spread."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from rich.markup import escape
from rich.table import Table
from scipy.stats import t as student

from studies.metrics import METRICS, Metric
from studies.state.rungs import Rung, Rungs
from studies.state.shown_metric import shown_metric
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

# Of the test by which a trial is ahead; what that costs and saves: python -m benchmarks.knowledge.recipe_floor
LEVEL = 0.25


@dataclass(frozen=True)
class Row:
    """One trial: its pooled score, and the scores of its finished folds one by one."""

    trial: int
    origin: str
    folds: int
    fold_epochs: int
    rung: Rung | None  # the highest that it has reached; None before the first
    score: float  # there
    fold_scores: tuple[float, ...]
    metric: Metric = METRICS["macro_f1"]

    @property
    def spread(self) -> float | None:
        """Return the standard deviation over the folds, None with fewer than two."""
        return stdev(self.fold_scores) if len(self.fold_scores) > 1 else None

    def spelled(self) -> str:
        """Return score and spread, such as '0.612 ± 0.031 (5 folds)'."""
        if self.spread is None:
            return f"{self.metric.spelled(self.score)} ({'one fold' if self.fold_scores else 'part of one fold'}: spread unknown)"
        return f"{self.metric.spelled(self.score)} ± {self.spread:.3f} ({self.folds} folds)"


def leaderboard(study: StudyState, rungs: Rungs, metric: str = "macro_f1") -> list[Row]:
    """Return every trial that has a score, best first.

    A higher rung comes first, then the score: scores of different rungs do not compare.
    """
    scored = [trial for trial in study.trials.values() if trial.failure is None and trial.epochs]
    rows = [_row(trial, rungs, shown_metric(metric, study)) for trial in scored]
    return sorted(rows, key=lambda row: (-rungs.cost(row.rung), -row.score, row.trial))


def _row(trial: TrialState, rungs: Rungs, metric: Metric) -> Row:
    rung = trial.standing(rungs)
    whole = rung.folds if rung is not None and rung.epoch == rungs.epochs else 0
    fold_scores = tuple(trial.fold_scores(rungs.epochs)[:whole])  # at its rung, so that all trials there have the same
    score = trial.epochs[-1].score if rung is None else trial.scores[rung]
    return Row(trial.number, trial.origin, len(fold_scores), trial.fold_epochs, rung, score, fold_scores, metric)


def leaderboard_table(rows: Iterable[Row], top: int = 5) -> Table:
    """Return the first rows as a table for the terminal."""
    table = Table(title="Leaderboard", title_justify="left")
    shown = list(rows)[:top]
    for column in ("place", "trial", "from", "fold-epochs"):
        table.add_column(column, justify="left" if column == "from" else "right")
    table.add_column(f"{shown[0].metric.title if shown else 'score'} ± spread over folds")
    for place, row in enumerate(shown, 1):
        table.add_row(str(place), str(row.trial), escape(row.origin), str(row.fold_epochs), row.spelled())
    return table


def chosen(rows: Sequence[Row]) -> Row | None:
    """Return the trial that a search chooses from its leaderboard: the best, but the recipe where that is a tie with it."""
    recipe = next((row for row in rows if row.origin == "recipe"), None)
    if recipe is not None and is_tie(rows[0], recipe):
        return recipe
    return rows[0] if rows else None


def is_tie(better: Row, other: Row) -> bool:
    """Tell whether a trial is ahead of another by no more than the noise, or not at all, fold by fold on the same folds.

    Its pooled score may be the higher one all the same.
    """
    if better.rung != other.rung or len(better.fold_scores) != len(other.fold_scores) or better.spread is None:
        return False
    return mean(better.fold_scores) - mean(other.fold_scores) <= noise(better, other)


def noise(one: Row, other: Row) -> float:
    """Return what the better of two trials must be ahead by, fold by fold on the same folds, for a paired t-test at `LEVEL`.

    Folds differ more than good configurations do, and that cancels out. It is about three quarters of a standard error.
    """
    ahead = [ours - theirs for ours, theirs in zip(one.fold_scores, other.fold_scores, strict=True)]
    return float(student.ppf(1 - LEVEL, len(ahead) - 1) * stdev(ahead) / len(ahead) ** 0.5)
