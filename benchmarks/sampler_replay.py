"""Which sampler with which ladder finds most for its fold-epochs, on new configurations judged by a surrogate.

    python -m benchmarks.sampler_replay --table benchmarks/tables/digits.jsonl --seeds 20 --json rows.json

The surrogate is a forest fitted to the recorded curves, plus noise as large as what it cannot explain. Reported is the
noise-free score, over all folds, of the configuration that a search would choose.
"""

import argparse
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from optuna.trial import FrozenTrial, TrialState, create_trial
from rich.console import Console
from rich.table import Table
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.model_selection import cross_val_predict

from benchmarks.curves import CurveTable, table_argument
from schedulers.proposal import Proposal
from schedulers.samplers.ask import ask
from schedulers.samplers.dimensions import active_coordinates
from schedulers.samplers.registry import SAMPLERS
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies import STRATEGIES
from schedulers.strategy import Strategy
from search_spaces import Choice, Parameter, Range, SearchSettings, SearchSpace
from studies.state.ranking import best_trial
from studies.state.study_state import StudyState
from studies.state.study_state import TrialState as OurTrial

_LOG_FROM = 300  # a number whose largest value is so many times its smallest is drawn on a log scale


class Surrogate:
    """Curves of any configuration of a table's space."""

    def __init__(self, table: CurveTable, seed: int = 0) -> None:
        self.table = table
        frame = pd.DataFrame(table.configurations)
        numbers = frame.select_dtypes("number")
        self._names = [str(name) for name in frame]
        self._log = [str(name) for name in numbers if _wide(numbers[name])]
        self._columns = pd.get_dummies(frame).columns
        self._forest = ExtraTreesRegressor(100, random_state=seed)  # goes through the recorded curves
        features, curves = self._features(frame), table.scores.reshape(len(table.scores), -1)
        residuals = curves - cross_val_predict(self._forest, features, curves, cv=9)
        self._forest.fit(features, curves)
        self.noise = (
            residuals.std(axis=0).reshape(table.folds, table.epochs) / 4
        )  # half of it is the forest's own error

    def curves(self, configuration: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        """Return folds x epochs without noise."""
        row = pd.DataFrame([{name: configuration.get(name) for name in self._names}])
        predicted = self._forest.predict(self._features(row))
        return np.asarray(predicted).reshape(self.table.folds, self.table.epochs)

    def _features(self, frame: pd.DataFrame) -> npt.NDArray[np.float64]:
        scaled = frame.copy()
        scaled[self._log] = np.log10(frame[self._log].astype(float))
        return pd.get_dummies(scaled).reindex(columns=self._columns, fill_value=0).fillna(0).to_numpy(dtype=float)


class Sampled:
    """Judges what a sampler draws by a surrogate."""

    def __init__(self, surrogate: Surrogate, space: SearchSpace, ladder: Strategy, seed: int) -> None:
        self._surrogate, self._space, self._ladder, self._seed = surrogate, space, ladder, seed
        self._noisy: dict[int, npt.NDArray[np.float64]] = {}

    def propose(self, number: int, study: StudyState) -> Proposal:
        drawn = ask(self._space, study, self._ladder, number + 1)
        rng = np.random.default_rng([self._seed, number])
        noise = rng.normal(size=self._surrogate.noise.shape) * self._surrogate.noise
        self._noisy[number] = np.clip(self._surrogate.curves(drawn) + noise, 0, 1)
        return Proposal(drawn, self._space.search.sampler)

    def fold_score(self, trial: OurTrial, fold: int, epoch: int) -> float:
        return float(self._noisy[trial.number][fold, epoch])

    def seconds(self, trial: OurTrial) -> float:
        return 1.0


def shown_naively(space: SearchSpace, study: StudyState, ladder: Strategy) -> list[FrozenTrial]:
    """Return every trial as complete with its last score, as Ray's OptunaSearch tells them."""
    rested = [trial for trial in study.trials.values() if trial.epochs and not trial.climbing]
    return [
        create_trial(
            state=TrialState.COMPLETE,
            value=trial.epochs[-1].score,
            params={name: one.value for name, one in active_coordinates(space, trial.configuration).items()},
            distributions={
                name: one.distribution for name, one in active_coordinates(space, trial.configuration).items()
            },
        )
        for trial in rested
    ]


def space_of(table: CurveTable, sampler: str, seed: int) -> SearchSpace:
    """Return the space that a table's configurations were drawn from, as far as they show it."""
    frame = pd.DataFrame(table.configurations)
    search = SearchSettings(trials=10_000, seed=seed).model_copy(update={"sampler": sampler})
    shared: dict[str, Any] = {"name": table.name, "profile": None, "task": "", "data": {}, "metric": "macro_f1"}
    return SearchSpace(
        **shared,
        parameters={name: _parameter(frame[name], _condition(frame, name)) for name in map(str, frame)},
        constants={"epochs": table.epochs},
        defaults={},
        search=SearchSettings(trials=10_000, seed=seed),
    ).model_copy(update={"search": search})


def _parameter(column: "pd.Series[Any]", when: dict[str, Any] | None) -> Parameter:
    known = column.dropna()
    if known.dtype == object or known.dtype == "str" or known.nunique() <= 4:
        return Choice(choice=tuple(sorted(known.unique().tolist())), when=when)
    return Range(low=float(known.min()), high=float(known.max()), log=_wide(known), when=when)


def _condition(frame: pd.DataFrame, name: str) -> dict[str, Any] | None:
    """Return the choice under which a parameter was drawn, None for one that all configurations have."""
    drawn = frame[name].notna()
    if drawn.all():
        return None
    others = [str(column) for column in frame if column != name]
    decisive = next((other for other in others if _splits(frame[other], drawn)), None)
    return {decisive: frame[decisive][drawn].iloc[0]} if decisive else None


def _splits(column: "pd.Series[Any]", drawn: "pd.Series[bool]") -> bool:
    """Tell whether a column has one value where a parameter was drawn, and never that value elsewhere."""
    values = column[drawn].unique()
    return len(values) == 1 and not (column[~drawn] == values[0]).any()


def _wide(column: "pd.Series[Any]") -> bool:
    return bool(column.min() > 0 and column.max() > _LOG_FROM * column.min())


def found(surrogate: Surrogate, sampler: str, strategy: str, fold_epochs: int, seed: int) -> float:
    """Return the noise-free score of what a search with this budget would choose."""
    table = surrogate.table
    space = space_of(table, sampler, seed)
    ladder = STRATEGIES[strategy](epochs=table.epochs, folds=table.folds, finalists=1 if fold_epochs < 200 else 3)
    budget = Budget(trials=10_000, fold_epochs=fold_epochs)
    study = Simulation(ladder, budget, 1, Sampled(surrogate, space, ladder, seed)).run()
    best = best_trial(study, ladder.rungs)
    return 0.0 if best is None else float(surrogate.curves(best[0].configuration)[:, -1].mean())


def main() -> None:
    """Measure, print and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=table_argument, required=True)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--budgets", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--samplers", nargs="+", default=["tpe", "tpe, shown naively", "gp", "cmaes", "qmc", "random"])
    parser.add_argument("--strategies", nargs="+", default=["fold_ladder", "survey", "asha"])
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    SAMPLERS.add("tpe, shown naively", replace(SAMPLERS["tpe"], projection=shown_naively))
    surrogate = Surrogate(arguments.table)
    rows = []
    for budget in arguments.budgets:
        for strategy in arguments.strategies:
            for sampler in arguments.samplers:
                scores = [found(surrogate, sampler, strategy, budget, seed) for seed in range(arguments.seeds)]
                row = {"fold_epochs": budget, "strategy": strategy, "sampler": sampler}
                rows.append({**row, "mean": float(np.mean(scores)), "worst": float(np.min(scores))})
                print(rows[-1], flush=True)
    table = Table(*rows[0], title=f"{surrogate.table.name}: score of the chosen configuration, {arguments.seeds} seeds")
    for row in rows:
        table.add_row(*(f"{value:.4f}" if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=120).print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
