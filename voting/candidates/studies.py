"""Studies with trials that can vote; what is damaged is left out by name."""

import logging
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from command_line.commands import typed
from datasets.numbers import Number
from search_spaces import SearchSpace
from studies.errors import StudyError, check_command
from studies.metrics import METRICS
from studies.state.failures import all_failed
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.trials.manifest import FolderError
from studies.trials.stored_trial import StoredTrial, read_trial
from voting.candidates.tables import read_rows
from voting.candidates.trials import Candidate, check_weights, out_of_fold

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyCandidates:
    """A study with at least one trial that has finished a fold."""

    folder: StudyFolder
    space: SearchSpace
    data: dict[str, Any]
    splits_digest: str
    trials: tuple[Candidate, ...]
    samples: pd.DataFrame
    holdout: pd.DataFrame
    stored: Mapping[int, StoredTrial]  # every trial that has finished an epoch, failed ones aside
    damaged: tuple[str, ...] = ()  # what is wrong with the trials that were left out

    @property
    def task(self) -> str:
        return self.space.task

    @property
    def recipe(self) -> Candidate | None:
        """Return the default recipe's trial, None if it is no candidate."""
        return next((trial for trial in self.trials if trial.origin == "recipe"), None)

    def on(self, folds: Collection[int]) -> "StudyCandidates":
        """Return the trials that have all of some folds, and the images of those alone."""
        samples = self.samples[self.samples["fold"].isin(folds)]
        trials = tuple(trial.on(folds, samples["id"]) for trial in self.trials if set(folds) <= set(trial.folds))
        return replace(self, trials=trials, samples=samples)


def find_studies(results: Path, names: Sequence[str] = ()) -> list[StudyFolder]:
    """Return every study under a results folder, or those named.

    Raises:
        StudyError: there is none, or none of a name.
    """
    found = [StudyFolder(path) for path in sorted(results.glob("*")) if StudyFolder(path).exists()]
    if not found:
        raise StudyError(
            f"{results}: holds no study; run launch_search.py first, or name another folder with --results"
        )
    there = [folder.name for folder in found]
    for name in names:
        if name not in there:
            raise StudyError(f"--study {name}: {results} has no such study; it has {', '.join(there)}")
    return [folder for folder in found if not names or folder.name in names]


def read_candidates(folder: StudyFolder, *, named: bool = False) -> StudyCandidates:
    """Return a study's trials that can vote; one whose files are damaged is left out, unless the study was `named`.

    Raises:
        StudyError: no fold is finished (says how far the study is), or one of the study's own files is damaged (names it).
        FolderError: a trial of a study that was named is damaged.
    """
    study = Study.existing(folder)
    study.load_plugins()
    space, state = study.space, StudyState(study.events())
    data = folder.facts(folder.data, ("root", "classes", "resize"))
    candidates, read, damaged = list[Candidate](), dict[int, StoredTrial](), list[str]()
    for trial in (one for one in state.trials.values() if one.failure is None):
        try:
            stored = _whole_trial(folder, trial)
            if stored is not None:
                read[trial.number] = stored
                candidates += _candidates(folder, trial, stored, space, data)
        except FolderError as error:
            if named:
                raise
            read.pop(trial.number, None)
            damaged.append(f"left out: {folder.name} trial {trial.number}: {error}")
    if not candidates:
        raise StudyError("\n".join(damaged) or _how_far(folder, space, state))
    return StudyCandidates(
        folder,
        space,
        data,
        folder.facts(folder.splits, ("digest",))["digest"],
        tuple(candidates),
        read_rows(folder.samples, ("id", "person", "fold", "target")),
        read_rows(folder.holdout, ("id", "person", "target")),
        read,
        tuple(damaged),
    )


def _whole_trial(folder: StudyFolder, trial: TrialState) -> StoredTrial | None:
    """Return a trial whose weights are those that its manifests name, None if it has not set out.

    A running search may drop weights meanwhile: then its manifests say so, and are read again.

    Raises:
        FolderError: a file is missing or was changed, and the manifests name it still.
    """
    stored = read_trial(folder.path, trial.number)
    while stored is not None:
        _check_folds(folder, trial, stored)
        try:
            check_weights(folder.path, stored)
        except FolderError:
            again = read_trial(folder.path, trial.number)
            if again is None or again.voting_folds == stored.voting_folds:
                raise
            logger.warning("%s trial %d: weights were dropped while they were read", folder.name, trial.number)
            stored = again
        else:
            break
    return stored


def _check_folds(folder: StudyFolder, trial: TrialState, stored: StoredTrial) -> None:
    """Check that the folder has the folds that the record says are finished.

    Raises:
        FolderError: one has no manifest; names it.
    """
    for fold, epochs in trial.progress.items():
        if epochs >= stored.epochs and fold not in stored.parts:
            raise FolderError(
                f"fold {fold + 1} was trained and has no manifest.json; restore it, or"
                f" {check_command(folder.path)} --repair sets the trial aside and has it trained again"
            )


def _candidates(
    folder: StudyFolder, trial: TrialState, stored: StoredTrial, space: SearchSpace, data: Mapping[str, Any]
) -> list[Candidate]:
    """Return a trial with its predictions, nothing if no finished fold of it has weights."""
    if not stored.voting_folds:
        return []
    predictions = out_of_fold(folder.path, stored)
    metric = METRICS[space.metric]
    number = None if data.get("number") is None else Number.model_validate(data["number"])
    resize, folds = data["resize"], stored.voting_folds
    return [Candidate(folder.path, trial.number, trial.origin, stored, predictions, metric, resize, number, folds)]


def _how_far(folder: StudyFolder, space: SearchSpace, state: StudyState) -> str:
    """Return how far a study is that has nothing to export, and the way out."""
    if failed := all_failed(state):
        return f"{folder.path}: {failed} {typed('show')} {shlex.quote(str(folder.path))} TRIAL shows each"
    trials = [trial for trial in state.trials.values() if trial.failure is None]
    furthest = max((epochs for trial in trials for epochs in trial.progress.values()), default=0)
    return (
        f"{folder.path}: no fold is finished yet; {len(state.trials)} trials are begun, the furthest fold stands at"
        f" {furthest} of {int(space.recipe().get('epochs', 0))} epochs. Go on with launch_search.py and a larger"
        " --time-budget or --fold-epochs; one finished fold can be exported."
    )
