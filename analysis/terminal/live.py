"""What a terminal shows while a search runs: its facts, who trains, and who stands on which rung."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from analysis.reading.words import spell_fold_epochs
from analysis.terminal.sparkline import sparkline
from schedulers.ladder import Ladder, competitors
from studies.metrics import Metric
from studies.study_state import StudyState, TrialState

_NARROW = 80  # columns; on less, curves and the numbers of trials are left out


@dataclass(frozen=True)
class LiveView:
    """One look at a search."""

    title: str
    facts: Mapping[str, str]
    study: StudyState
    ladder: Ladder
    metric: Metric

    def rendered(self, width: int, *, curves: bool = True) -> RenderableType:
        """Return it for a terminal of so many columns; without `curves` for one that has no letters for them."""
        wide = width >= _NARROW
        parts: list[RenderableType] = [self._facts()]
        if climbing := self.study.climbing():
            parts.append(self._training(climbing, curves=curves and wide))
        parts.append(self._rungs(wide=wide))
        return Group(*parts)

    def _facts(self) -> Table:
        table = _table(self.title)
        table.show_header = False
        for name, value in self.facts.items():
            table.add_row(name, escape(value))
        return table

    def _training(self, climbing: list[TrialState], *, curves: bool) -> Table:
        table = _table("Training now", "trial", "from", "position", self.metric.title, *(["curve"] if curves else []))
        for trial in climbing:
            fold, epoch = self.ladder.position(trial.fold_epochs)
            position = f"fold {fold + 1} epoch {epoch + 1}, bound for {spell_fold_epochs(trial.rung, self.ladder)}"
            score = self.metric.spelled(trial.epochs[-1].score) if trial.epochs else ""
            curve = [sparkline([self.metric.shown(epoch.score) for epoch in trial.epochs])] if curves else []
            table.add_row(str(trial.number), escape(trial.origin), position, score, *curve)
        return table

    def _rungs(self, *, wide: bool) -> Table:
        """Return who came to every rung and who stands there, the best first."""
        columns = ("rung", "came", "went on", "best", *(["standing there, the best first"] if wide else []))
        table, trials = _table("Rungs", *columns), competitors(self.study)
        for rung in self.ladder.rungs:
            ranked = self.ladder.ranked(trials, rung)
            if not ranked:
                continue
            on = sum(trial.fold_epochs > rung for trial in ranked)
            standing = [str(trial.number) for trial in ranked if trial.fold_epochs == rung and not trial.climbing]
            best = self.metric.spelled(max(trial.score_at(rung) or 0.0 for trial in ranked))
            there = [" ".join(standing)] if wide else []
            table.add_row(spell_fold_epochs(rung, self.ladder), str(len(ranked)), str(on), best, *there)
        return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in ("trial", "came", "went on", "best") else "left")
    return table
