"""Whether the trial folders hold what the record and their manifests say."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from analysis.check.record_checks import Finding
from storage.regular import TABLE, read_text
from storage.tensor_damage import damage_of
from studies.metrics import METRICS, Metric
from studies.record.record import readable_events
from studies.state.rungs import Rung
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.trials.attempts import read_attempt
from studies.trials.manifest import FolderError, FoldManifest, sha256_of, trial_path
from studies.trials.pooling import pooled_score
from studies.trials.predictions import FoldPredictions, predictions_name, read_predictions
from studies.trials.stored_trial import StoredTrial, read_trial

TOLERANCE = 1e-6  # between a recorded score and the same from the stored predictions


def folder_findings(study: Study) -> Iterator[Finding]:
    """Yield what is wrong with a study's trial folders."""
    folder = study.folder
    events = readable_events(folder.record)[0] if folder.record.exists() else []
    state, metric = StudyState.lenient(events), METRICS[name] if (name := study.space.metric) in METRICS else None
    try:
        folds = _ids_by_fold(folder.samples, study.space.search.folds)
    except (OSError, ValueError, KeyError) as error:
        yield Finding(str(folder.samples), f"cannot be read ({error!r}); the next launch writes it anew")
        return
    if metric is None:
        yield Finding(str(folder.path), f"scores were not checked: the metric {name} is of a plugin", wrong=False)
    for trial in state.trials.values():
        yield from _trial_findings(folder, trial, folds, metric)
    for number in sorted(trial_numbers(folder) - state.trials.keys()):
        yield Finding(str(folder.trials / str(number)), "no such trial in the record", trial=number)
    for path in sorted(folder.trials.glob("*")):
        if not path.name.isdecimal():
            yield Finding(str(path), "is no trial's folder", stray=path)
    for torn in sorted(folder.trials.rglob("*.torn")):
        yield Finding(str(torn), "was being written when its process ended; nothing reads it", wrong=False)


def trial_numbers(folder: StudyFolder) -> set[int]:
    """Return the trials that have a folder."""
    return {int(path.name) for path in folder.trials.glob("*") if path.name.isdecimal()}


def _trial_findings(
    folder: StudyFolder, trial: TrialState, folds: list[set[str]], metric: Metric | None
) -> Iterator[Finding]:
    place = trial_path(folder.path, trial.number)
    try:
        stored = read_trial(folder.path, trial.number)
        for fold in range(len(folds)):
            read_attempt(folder.path, trial.number, fold)
    except FolderError as error:
        yield Finding(str(place), str(error), trial=trial.number)
        return
    if stored is None:
        if trial.epochs:
            yield Finding(str(place), f"is gone; the record has {trial.fold_epochs} fold-epochs", trial=trial.number)
        return
    predicted = _predictions(folder.path, trial, stored, folds, metric)
    wrong = [*_against_record(trial, stored), *_files(place, stored), *predicted]
    yield from (Finding(str(place), message, trial=trial.number) for message in wrong)
    ahead = sum(max(0, part.trained - trial.epochs_of(fold)) for fold, part in stored.parts.items())
    if ahead:
        yield Finding(
            str(place), f"{ahead} fold-epochs are not recorded yet; the next launch records them", wrong=False
        )


def _against_record(trial: TrialState, stored: StoredTrial) -> Iterator[str]:
    if stored.trial != trial.number:
        yield f"holds trial {stored.trial}"
    if stored.configuration != trial.configuration:
        yield "holds another configuration than the record"
    for fold in sorted(trial.folds):
        part = stored.parts.get(fold)
        yield from _fold_against_record(trial, fold, part)


def _fold_against_record(trial: TrialState, fold: int, part: FoldManifest | None) -> Iterator[str]:
    recorded = trial.folds[fold].epochs
    curve = () if part is None else part.curve
    if len(curve) < len(recorded):
        yield f"fold {fold} is behind its record: {len(curve)} epochs, recorded are {len(recorded)}"
    for line, epoch in zip(curve, recorded, strict=False):
        if (line.epoch, line.score) != (epoch.epoch, epoch.score):
            yield f"fold {fold} epoch {line.epoch} scored {line.score:.6f}, recorded is {epoch.score:.6f}"
            return


def _files(place: Path, stored: StoredTrial) -> Iterator[str]:
    for name, digest in stored.files.items():
        path = place / name
        if not path.is_file():
            yield f"{name} is missing"
        elif sha256_of(path) != digest:
            yield f"{name} was changed since it was written"
    for name in (part.resume for part in stored.parts.values() if part.resume):
        if not (place / name).is_file():
            yield f"{name} is missing"
        elif damage := damage_of(place / name):
            yield f"{name} is damaged ({damage})"


def _predictions(
    study: Path, trial: TrialState, stored: StoredTrial, folds: list[set[str]], metric: Metric | None
) -> Iterator[str]:
    """Yield what is wrong with the out-of-fold predictions: whose they are, and whether they score as recorded."""
    parts: list[FoldPredictions] = []
    for fold in stored.finished_folds:
        name = predictions_name(fold)
        path, recorded = trial_path(study, stored.trial) / name, stored.parts[fold]
        if not path.is_file() or sha256_of(path) != recorded.files.get(name):
            return  # reported already
        part = read_predictions(study, stored.trial, fold)
        if set(part.ids) != folds[fold] or len(part.ids) != len(folds[fold]):
            yield f"{name} is not about the images of fold {fold}"
            return
        parts.append(part)
    recorded_score = trial.score_at(Rung(stored.folds, stored.epochs))
    if metric is not None and stored.is_complete and recorded_score is not None:
        score = pooled_score(parts, metric)
        if abs(score - recorded_score) > TOLERANCE:
            yield f"its predictions score {score:.6f}, the record says {recorded_score:.6f}"


def _ids_by_fold(samples: Path, count: int) -> list[set[str]]:
    rows = list(csv.DictReader(io.StringIO(read_text(samples, TABLE))))
    folds: list[set[str]] = [set() for _ in range(count)]
    for row in rows:
        fold = int(row["fold"])
        if not 0 <= fold < count:
            raise ValueError(f"{row['id']} is in fold {fold} of {count}")
        folds[fold].add(row["id"])
    return folds
