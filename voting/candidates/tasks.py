"""Which studies can be exported together, and what each task's candidates are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datasets.numbers import Number
from studies.metrics import METRICS, Metric
from studies.study_folder import StudyError, StudyFolder
from voting.candidates.studies import FinishedStudy, read_finished
from voting.candidates.trials import FinishedTrial


@dataclass(frozen=True)
class TaskCandidates:
    """All finished trials of one task on one data set and split; images sorted by id."""

    task: str
    classes: tuple[str, ...]
    number: Number | None
    root: str
    metric: Metric
    trials: tuple[FinishedTrial, ...]
    recipe: FinishedTrial | None
    samples: pd.DataFrame
    holdout: pd.DataFrame
    studies: tuple[FinishedStudy, ...] = ()


def choose_studies(folders: Sequence[StudyFolder], *, named: bool = False) -> tuple[list[FinishedStudy], list[str]]:
    """Return the studies to export, and what is left out and why.

    Studies go together if they share images and split. Of several such groups the one with the most images is taken. What is
    damaged is left out, but refused if the studies were `named`.

    Raises:
        StudyError: no study has a finished trial.
        FolderError: a trial of a named study is damaged.
    """
    finished, left_out = [], []
    for folder in folders:
        try:
            finished.append(read_finished(folder, named=named))
        except (ValueError, OSError) as error:  # whatever is wrong with one study, the others can be exported
            if named:
                raise
            left_out.append(str(error))
    if not finished:
        raise StudyError("\n".join(left_out))
    groups: dict[tuple[str, str], list[FinishedStudy]] = {}
    for study in finished:
        groups.setdefault((study.data["root"], study.splits_digest), []).append(study)
    chosen = max(groups.values(), key=lambda group: len(group[0].trials[0].predictions.ids))
    others = [study.folder.name for study in finished if study not in chosen]
    if others:
        left_out.append(f"left out: {', '.join(others)} (other images or splits; --study exports them on their own)")
    return chosen, [*left_out, *(line for study in chosen for line in study.damaged)]


def task_candidates(studies: Sequence[FinishedStudy]) -> list[TaskCandidates]:
    """Return the candidates of every task, tasks in alphabetical order."""
    tasks = sorted({study.task for study in studies})
    return [_gather([study for study in studies if study.task == task]) for task in tasks]


def _gather(studies: Sequence[FinishedStudy]) -> TaskCandidates:
    first = studies[0]
    trials = tuple(trial for study in studies for trial in study.trials)
    for study in studies:
        if study.space.metric != first.space.metric:
            raise StudyError(
                f"{study.folder.path}: is judged by {study.space.metric}, {first.folder.path} by {first.space.metric}; export"
                " one of them with --study"
            )
    for trial in trials:
        same = [
            (trial.predictions.ids, trials[0].predictions.ids),
            (trial.predictions.targets, trials[0].predictions.targets),
        ]
        if not all(np.array_equal(one, other) for one, other in same):
            raise StudyError(
                f"{trial.study}: judged other images or labels than {trials[0].study} on {first.task}; export one with --study"
            )
    return TaskCandidates(
        first.task,
        tuple(first.data["classes"]),
        None if first.data.get("number") is None else Number.model_validate(first.data["number"]),
        first.data["root"],
        METRICS[first.space.metric],
        trials,
        next((study.recipe for study in studies if study.recipe), None),
        first.samples,
        first.holdout,
        tuple(studies),
    )
