"""Search the small studies and keep what their trials say of their own persons and of fresh ones.

    python -m benchmarks.promise.record --workers 2

Of every study twelve configurations are looked at in the first fold, and the recipe and the three best train all folds, as the
ladder has them. Probabilities go in half precision into a file a study below --out, too large for git; a study that has one is
skipped, so it can be stopped and started again.
"""

import argparse
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console

from benchmarks.knowledge.configurations import configurations
from benchmarks.promise.studies import FOLDS, SmallStudy, fresh_pictures, pictures, set_studies, small_studies
from benchmarks.recording import METRIC, score_of
from storage.rebuilt_folder import cache_root
from studies.metrics import Probabilities
from trainables.config import configured
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.heads.tuning import counted_probabilities
from trainables.training.images.fold_data import FoldData

OUT = cache_root() / "promise"
EPOCHS, LOOK, CONTENDERS, WENT_ON = 4, 2, 12, 3


@dataclass(frozen=True)
class Said:
    """What a fold's model said of the fold after every epoch, and of fresh persons at the end."""

    epochs: tuple[Probabilities, ...]
    fresh: Probabilities


def main() -> None:
    """Search what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    missing = [study for study in (*small_studies(), *set_studies()) if not file_of(arguments.out, study).exists()]
    for study in missing:  # drawn and decoded once, before two processes ask for them
        pictures(study), fresh_pictures(study.task)
    console = Console()
    with ProcessPoolExecutor(arguments.workers, get_context("spawn"), initializer=_one_thread) as pool:
        for study in pool.map(partial(search, arguments.out), missing):
            console.print(f"{study.name}: recorded")


def _one_thread() -> None:
    torch.set_num_threads(1)


def file_of(out: Path, study: SmallStudy) -> Path:
    """Return where a study's probabilities lie."""
    return out / f"{study.task}-{study.persons}-{study.seed}.npz"


def search(out: Path, study: SmallStudy) -> SmallStudy:
    """Search one study and write what its trials said."""
    data, listed = pictures(study), contenders(study)
    first = data.validation(0)
    looks = [look(data, one) for one in listed]
    scores = [METRIC.score(data.targets[first], said) for said in looks[1:]]  # the recipe goes on by right
    best = [1 + int(one) for one in np.argsort(-np.array(scores), kind="stable")[:WENT_ON]]
    finished = [0, *best]
    said = np.zeros((len(finished), len(data.ids), len(data.classes)), np.float16)
    fresh = np.zeros((len(finished), FOLDS, len(fresh_pictures(study.task).ids), len(data.classes)), np.float16)
    for place_of, contender in enumerate(finished):
        for fold in range(FOLDS):
            end = trained(data, listed[contender], fold, fresh_pictures(study.task))
            said[place_of, data.validation(fold)], fresh[place_of, fold] = end.epochs[-1], end.fresh
    candidates = np.array([best.index(one) + 1 if one in best else -1 for one in range(1, len(listed))])
    temporary = out / f".{file_of(out, study).name}"  # so that one that is killed counts as missing
    np.savez(temporary, said=said, fresh=fresh, looks=np.array(looks[1:], np.float16), candidates=candidates)
    temporary.rename(file_of(out, study))
    return study


def contenders(study: SmallStudy) -> list[dict[str, Any]]:
    """Return the configurations of a study: the recipe, and others of the list by chance."""
    listed = list(configurations().values())
    chosen = np.random.default_rng(study.seed).choice(np.arange(1, len(listed)), CONTENDERS - 1, replace=False)
    return [listed[0], *(listed[int(one)] for one in chosen)]


def look(data: FoldData, configuration: Mapping[str, Any]) -> Probabilities:
    """Return what a configuration says of the first fold where its rung is."""
    return trained(data, configuration, 0, None, LOOK).epochs[-1]


def trained(
    data: FoldData, configuration: Mapping[str, Any], fold: int, fresh: FoldData | None, epochs: int = EPOCHS
) -> Said:
    """Train a configuration on all folds but one, for so many of its epochs."""
    side = {"image_size": data.images.shape[1]}  # as it was decoded
    config = configured({**configuration, **side, "epochs": EPOCHS})
    learner = FoldLearner(config, data, 0, fold, place(config, Resources()))
    score, said = partial(score_of, config, data, fold), list[Probabilities]()
    for epoch in range(epochs):
        learner.train_epoch(epoch)
        said.append(counted_probabilities(config, data, fold, learner.judge_epoch(score), METRIC))
    return Said(tuple(said), np.empty(0, np.float32) if fresh is None else learner.judge(fresh).probabilities)


if __name__ == "__main__":
    main()
