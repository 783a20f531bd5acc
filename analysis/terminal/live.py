"""What a terminal shows while a search runs: its facts, who trains, and who stands on which rung."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from analysis.reading.words import spell_rung
from analysis.terminal.sparkline import sparkline
from studies.metrics import Metric
from studies.state.ranking import competitors, ranked_at
from studies.state.rungs import Rungs
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState

_NARROW = 80  # columns; on less, curves and the numbers of trials are left out


@dataclass(frozen=True)
class LiveView:
    """One look at a search."""

    title: str
    facts: Mapping[str, str]
    study: StudyState
    rungs: Rungs
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
            position = ", ".join(
                f"fold {number + 1} epoch {len(fold.epochs) + 1} of {fold.bound_for}" for number, fold in trial.climbs
            )
            score = self.metric.spelled(trial.epochs[-1].score) if trial.epochs else ""
            curve = [sparkline([self.metric.shown(epoch.score) for epoch in trial.epochs])] if curves else []
            table.add_row(str(trial.number), escape(trial.origin), position, score, *curve)
        return table

    def _rungs(self, *, wide: bool) -> Table:
        """Return who came to every rung and who stands there, the best first."""
        columns = ("rung", "came", "went on", "best", *(["standing there, the best first"] if wide else []))
        table, trials = _table("Rungs", *columns), competitors(self.study)
        for rung in self.rungs.levels:
            ranked = ranked_at(trials, rung)
            if not ranked:
                continue
            on = sum(trial.fold_epochs > self.rungs.cost(rung) for trial in ranked)
            standing = [
                str(trial.number) for trial in ranked if trial.standing(self.rungs) == rung and not trial.climbing
            ]
            best = self.metric.spelled(max(trial.score_at(rung) or 0.0 for trial in ranked))
            there = [" ".join(standing)] if wide else []
            table.add_row(spell_rung(rung, self.rungs), str(len(ranked)), str(on), best, *there)
        return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=escape(title), title_justify="left")
    for column in columns:
        table.add_column(column, justify="right" if column in ("trial", "came", "went on", "best") else "left")
    return table
