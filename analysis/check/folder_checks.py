"""Whether the trial folders hold what the record and their manifests say."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from analysis.check.record_checks import Finding
from storage.tensor_damage import damage_of
from studies.manifest import FolderError, Manifest, read_attempt, read_manifest, sha256_of, trial_path
from studies.metrics import METRICS, Metric
from studies.predictions import FoldPredictions, predictions_name, read_predictions
from studies.record import readable_events
from studies.study_folder import StudyFolder
from studies.study_state import StudyState, TrialState
from trainables.config import configured

TOLERANCE = 1e-6  # between a recorded score and the same from the stored predictions


def folder_findings(folder: StudyFolder) -> Iterator[Finding]:
    """Yield what is wrong with a study's trial folders."""
    events = readable_events(folder.record)[0] if folder.record.exists() else []
    study, metric = StudyState.lenient(events), METRICS[folder.stored_space().metric]
    try:
        folds = _ids_by_fold(folder.samples)
    except (OSError, ValueError, KeyError) as error:
        yield Finding(str(folder.samples), f"cannot be read ({error!r}); the next launch writes it anew")
        return
    for trial in study.trials.values():
        yield from _trial_findings(folder, trial, folds, metric)
    for number in sorted(trial_numbers(folder) - study.trials.keys()):
        yield Finding(str(folder.trials / str(number)), "no such trial in the record", trial=number)
    for path in sorted(folder.trials.glob("*")):
        if not path.name.isdigit():
            yield Finding(str(path), "is no trial's folder", stray=path)
    for torn in sorted(folder.trials.rglob("*.torn")):
        yield Finding(str(torn), "was being written when its process ended; nothing reads it", wrong=False)


def trial_numbers(folder: StudyFolder) -> set[int]:
    """Return the trials that have a folder."""
    return {int(path.name) for path in folder.trials.glob("*") if path.name.isdigit()}


def _trial_findings(folder: StudyFolder, trial: TrialState, folds: list[set[str]], metric: Metric) -> Iterator[Finding]:
    place = trial_path(folder.path, trial.number)
    try:
        manifest = read_manifest(folder.path, trial.number)
        read_attempt(folder.path, trial.number)
    except FolderError as error:
        yield Finding(str(place), str(error), trial=trial.number)
        return
    if manifest is None:
        if trial.epochs:
            yield Finding(str(place), f"is gone; the record has {trial.fold_epochs} fold-epochs", trial=trial.number)
        return
    predicted = _predictions(folder.path, manifest, folds, metric)
    wrong = [*_against_record(trial, manifest), *_files(place, manifest), *predicted]
    yield from (Finding(str(place), message, trial=trial.number) for message in wrong)
    ahead = len(manifest.curve) - trial.fold_epochs
    if ahead > 0:
        yield Finding(
            str(place), f"{ahead} fold-epochs are not recorded yet; the next launch records them", wrong=False
        )


def _against_record(trial: TrialState, manifest: Manifest) -> Iterator[str]:
    if manifest.trial != trial.number:
        yield f"holds trial {manifest.trial}"
    try:
        theirs, recorded = configured(manifest.configuration).digest, configured(trial.configuration).digest
    except ValueError:
        yield "holds a configuration that no trial can have"
        return
    if not theirs == recorded == manifest.digest:
        yield "holds another configuration than the record"
    if len(manifest.curve) < trial.fold_epochs:
        yield f"is behind its record: {len(manifest.curve)} fold-epochs, recorded are {trial.fold_epochs}"
    for line, epoch in zip(manifest.curve, trial.epochs, strict=False):
        if (line.fold, line.epoch, line.score) != (epoch.fold, epoch.epoch, epoch.score):
            yield f"fold {line.fold} epoch {line.epoch} scored {line.score:.6f}, recorded is {epoch.score:.6f}"
            return


def _files(place: Path, manifest: Manifest) -> Iterator[str]:
    for name, digest in manifest.files.items():
        path = place / name
        if not path.is_file():
            yield f"{name} is missing"
        elif sha256_of(path) != digest:
            yield f"{name} was changed since it was written"
    for name in manifest.resume.values():
        if not (place / name).is_file():
            yield f"{name} is missing"
        elif damage := damage_of(place / name):
            yield f"{name} is damaged ({damage})"


def _predictions(study: Path, manifest: Manifest, folds: list[set[str]], metric: Metric) -> Iterator[str]:
    """Yield what is wrong with the out-of-fold predictions: whose they are, and whether they score as recorded."""
    parts: list[FoldPredictions] = []
    for fold in range(manifest.finished_folds):
        path, recorded = trial_path(study, manifest.trial) / predictions_name(fold), manifest.files
        if not path.is_file() or sha256_of(path) != recorded.get(predictions_name(fold)):
            return  # reported already
        part = read_predictions(study, manifest.trial, fold)
        if set(part.ids) != folds[fold] or len(part.ids) != len(folds[fold]):
            yield f"{predictions_name(fold)} is not about the images of fold {fold}"
            return
        parts.append(part)
    if manifest.complete:
        targets = np.concatenate([part.targets for part in parts])
        score = metric.score(targets, np.concatenate([part.probabilities for part in parts]))
        if abs(score - manifest.curve[-1].score) > TOLERANCE:
            yield f"its predictions score {score:.6f}, its curve says {manifest.curve[-1].score:.6f}"


def _ids_by_fold(samples: Path) -> list[set[str]]:
    with open(samples, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    folds: list[set[str]] = [set() for _ in range(1 + max(int(row["fold"]) for row in rows))]
    for row in rows:
        folds[int(row["fold"])].add(row["id"])
    return folds
