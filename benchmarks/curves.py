"""Tables of recorded learning curves: read, drawn from, and replayed."""

import json
from argparse import ArgumentTypeError
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from schedulers.proposal import Proposal
from studies.state.study_state import StudyState, TrialState

Scores = npt.NDArray[np.float64]
_NO_KNOBS = ("config", "fold", "curve", "sec", "votes")


@dataclass(frozen=True)
class CurveTable:
    """Scores by configuration, fold and epoch; seconds a fold-epoch by configuration."""

    name: str
    configurations: tuple[dict[str, Any], ...]
    scores: Scores
    seconds: Scores

    @property
    def folds(self) -> int:
        return int(self.scores.shape[1])

    @property
    def epochs(self) -> int:
        return int(self.scores.shape[2])

    @property
    def final(self) -> Scores:
        """Return each configuration's score: the mean over folds after the last epoch."""
        return np.asarray(self.scores[:, :, -1].mean(axis=1))


class Replayed:
    """Judges the trials of a simulated study by a table, in the given order of its configurations."""

    def __init__(self, table: CurveTable, order: npt.NDArray[np.int64], *, recipe: bool = False) -> None:
        self._table, self._order, self._recipe = table, order, recipe

    def propose(self, number: int, study: StudyState) -> Proposal:
        origin = "recipe" if self._recipe and number == 0 else "recorded"
        return Proposal({"row": int(self._order[number])}, origin)

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        return float(self._table.scores[trial.configuration["row"], fold, epoch])

    def seconds(self, trial: TrialState) -> float:
        return float(self._table.seconds[trial.configuration["row"]])


def table_argument(path: str) -> CurveTable:
    """Return the table at a path that a command line gives."""
    try:
        return read_table(Path(path))
    except (ValueError, OSError) as error:
        raise ArgumentTypeError(str(error)) from None


def read_table(path: Path) -> CurveTable:
    """Return a table from JSON lines: config, fold, curve, sec, and the configuration's values.

    Raises:
        ValueError: a line is damaged, or a configuration lacks a fold; names it.
    """
    rows: dict[int, dict[int, dict[str, Any]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            rows.setdefault(row["config"], {})[row["fold"]] = row
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{path}: line {number} is no row with config, fold and curve") from None
    shapes = {(tuple(sorted(folds)), tuple(len(row["curve"]) for row in folds.values())) for folds in rows.values()}
    if len(shapes) != 1:
        raise ValueError(f"{path}: every configuration must have the same folds and epochs")
    ordered = [[folds[fold] for fold in sorted(folds)] for _, folds in sorted(rows.items())]
    epochs = len(ordered[0][0]["curve"])
    return CurveTable(
        name=path.stem,
        configurations=tuple(
            {key: value for key, value in folds[0].items() if key not in _NO_KNOBS} for folds in ordered
        ),
        scores=np.array([[row["curve"] for row in folds] for folds in ordered], dtype=np.float64),
        seconds=np.array([np.mean([row.get("sec", epochs) for row in folds]) / epochs for folds in ordered]),
    )
