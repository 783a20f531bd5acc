"""Which studies can be exported together, and what each task's candidates are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from datasets.numbers import Number
from studies.errors import StudyError
from studies.metrics import METRICS, Metric
from studies.study_folder import StudyFolder
from voting.candidates.compared_folds import Folds, compared_folds, together
from voting.candidates.studies import StudyCandidates, read_candidates
from voting.candidates.trials import Candidate


@dataclass(frozen=True)
class TaskCandidates:
    """All trials of one task on one data set and split that have the folds on which they are compared; images sorted by id."""

    task: str
    classes: tuple[str, ...]
    number: Number | None
    root: str
    metric: Metric
    trials: tuple[Candidate, ...]
    recipe: Candidate | None
    samples: pd.DataFrame
    holdout: pd.DataFrame
    studies: tuple[StudyCandidates, ...] = ()
    folds: Folds = ()  # on which they are compared


def choose_studies(folders: Sequence[StudyFolder], *, named: bool = False) -> tuple[list[StudyCandidates], list[str]]:
    """Return the studies to export, and what is left out and why.

    Studies go together if they share images and split. Of several such groups the one with the most images is taken, and in it
    those of a task that were judged alike. What is damaged, or was judged otherwise, is left out, but refused if the studies were
    `named`.

    Raises:
        StudyError: no study has a finished fold, or one that was named does not go with the others.
        FolderError: a trial of a named study is damaged.
    """
    finished, left_out = [], []
    for folder in folders:
        try:
            finished.append(read_candidates(folder, named=named))
        except (ValueError, OSError) as error:  # whatever is wrong with one study, the others can be exported
            if named:
                raise
            left_out.append(str(error))
    if not finished:
        raise StudyError("\n".join(left_out))
    groups: dict[tuple[str, str], list[StudyCandidates]] = {}
    for study in finished:
        groups.setdefault((study.data["root"], study.splits_digest), []).append(study)
    chosen = max(groups.values(), key=lambda group: len(group[0].samples))
    others = [study.folder.name for study in finished if study not in chosen]
    if others:
        left_out.append(f"left out: {', '.join(others)} (other images or splits; --study exports them on their own)")
    chosen, differing = judged_alike(chosen, named=named)
    return chosen, [*left_out, *differing, *(line for study in chosen for line in study.damaged)]


def judged_alike(studies: Sequence[StudyCandidates], *, named: bool) -> tuple[list[StudyCandidates], list[str]]:
    """Return the studies that were judged as the first of their task was, and why others are left out.

    Raises:
        StudyError: one that was named was judged otherwise.
    """
    kept, reasons = list[StudyCandidates](), list[str]()
    for study in studies:
        first = next((one for one in kept if one.task == study.task), study)
        if reason := _difference(study, first):
            wrong = f"{study.folder.path}: {reason} than {first.folder.name}"
            if named:
                raise StudyError(f"{wrong}; export one of them with --study")
            reasons.append(f"left out: {wrong}; --study exports it on its own")
        else:
            kept.append(study)
    return kept, reasons


def _difference(study: StudyCandidates, first: StudyCandidates) -> str | None:
    if study.space.metric != first.space.metric:
        return f"is judged by another metric ({study.space.metric}, not {first.space.metric})"
    if study.data["classes"] != first.data["classes"]:
        return "has other classes"
    judged = ["id", "target"]
    if not np.array_equal(study.samples[judged].to_numpy(), first.samples[judged].to_numpy()):
        return "judged other images or labels"
    return None


def task_candidates(studies: Sequence[StudyCandidates]) -> list[TaskCandidates]:
    """Return the candidates of every task, tasks in alphabetical order; the studies go together (see `choose_studies`)."""
    of_task = {
        task: [study for study in studies if study.task == task] for task in sorted({study.task for study in studies})
    }
    folds = together({task: compared_folds(_trials(own), own[0].samples) for task, own in of_task.items()})
    return [_gather([study.on(folds[task]) for study in own], folds[task]) for task, own in of_task.items()]


def _trials(studies: Sequence[StudyCandidates]) -> tuple[Candidate, ...]:
    return tuple(trial for study in studies for trial in study.trials)


def _gather(studies: Sequence[StudyCandidates], folds: Folds) -> TaskCandidates:
    first = studies[0]
    return TaskCandidates(
        first.task,
        tuple(first.data["classes"]),
        None if first.data.get("number") is None else Number.model_validate(first.data["number"]),
        first.data["root"],
        METRICS[first.space.metric],
        _trials(studies),
        next((study.recipe for study in studies if study.recipe), None),
        first.samples,
        first.holdout,
        tuple(studies),
        folds,
    )
