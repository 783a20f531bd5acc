"""One configuration trained on one fold of a small set: its score after every epoch, and what it said at the end."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.sets.prepared import SIDE, fold_data, fresh_data
from studies.metrics import METRICS, Probabilities
from trainables.config import TrainConfig, configured
from trainables.training.classifier import Judged
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner, NotFinite
from trainables.training.heads.tuning import counted_probabilities
from trainables.training.images.fold_data import FoldData

METRIC = METRICS["macro_f1"]


@dataclass(frozen=True)
class Recording:
    """The score after every epoch, the seconds of all of them, and the last probabilities."""

    scores: tuple[float, ...]
    seconds: float
    left_out: Probabilities | None  # of the fold; None: the configuration does not train, and scores 0 from there on
    fresh: Probabilities | None  # of pictures that no trial sees


data_of, fresh_of = cache(fold_data), cache(fresh_data)  # by the name of a set, prepared once


def recorded(name: str, configuration: Mapping[str, Any], fold: int) -> Recording:
    """Train a configuration on all folds of a set but one."""
    config, data = configured({"image_size": SIDE, **configuration}), data_of(name)
    started, scores, said = time.perf_counter(), list[float](), None
    learner = FoldLearner(config, data, 0, fold, place(config, Resources()))
    score = partial(score_of, config, data, fold)
    try:
        for epoch in range(config.epochs):
            learner.train_epoch(epoch)
            said = learner.judge_epoch(score)
            scores.append(round(score(said), 5))
    except NotFinite:
        scores, said = [*scores, *([0.0] * (config.epochs - len(scores)))], None
    seconds = round(time.perf_counter() - started, 2)
    if said is None:
        return Recording(tuple(scores), seconds, None, None)
    fresh = learner.judge(fresh_of(name)).probabilities
    return Recording(tuple(scores), seconds, counted_probabilities(config, data, fold, said, METRIC), fresh)


def score_of(config: TrainConfig, data: FoldData, fold: int, said: Judged) -> float:
    """Return the score of a fold as a trial's is."""
    return METRIC.score(data.targets[data.validation(fold)], counted_probabilities(config, data, fold, said, METRIC))


def read_rows(file: Path) -> list[dict[str, Any]]:
    """Return the JSON objects of a file, one a line; none if there is no file."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def append_row(file: Path, row: Mapping[str, Any]) -> None:
    """Write one more line."""
    with open(file, "a", encoding="utf-8") as lines:
        lines.write(json.dumps(row) + "\n")
