"""Load the out-of-fold predictions that trials saved at their rungs, for the bootstrap of eliminations."""

import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from studies.metrics import METRICS, Probabilities
from studies.state.rungs import Rung, Rungs, is_reached
from studies.trials.looks import checked_look, looks_of
from studies.trials.manifest import FolderError
from studies.trials.predictions import read_predictions
from studies.trials.stored_trial import StoredTrial
from voting.candidates.studies import StudyCandidates
from voting.out_of_fold.eliminations import Rung as Elimination
from voting.out_of_fold.objective import Rows

logger = logging.getLogger(__name__)


def rungs_of(study: StudyCandidates, first: int, persons: Mapping[str, int]) -> list[Elimination]:
    """Return the rungs of a study on which some trials stayed and others went on, as far as looks were kept.

    They are those before the last epoch of the folds on which candidates are compared. `first` is the position of the study's
    first trial among the candidates, `persons` numbers the persons. The recipe is no part of it: it is never eliminated.
    """
    stored = list(study.stored.values())
    if not stored:
        return []
    folds, epochs = stored[0].folds, stored[0].epochs
    looks = {epoch for trial in stored if 0 in trial.parts for epoch in looks_of(trial.parts[0])}
    compared = {int(fold) for fold in study.samples["fold"].unique()}
    before = [
        level
        for level in Rungs.of(folds, epochs, looks).levels
        if set(range(level.folds)) <= compared and level != Rung(len(compared), epochs)
    ]
    return [rung for level in before for rung in _rung(study, level, first, persons)]


def _rung(study: StudyCandidates, rung: Rung, first: int, persons: Mapping[str, int]) -> Iterator[Elimination]:
    recipe = study.recipe.number if study.recipe else None
    reached = {
        number: stored
        for number, stored in study.stored.items()
        if number != recipe and is_reached(rung, {fold: part.trained for fold, part in stored.parts.items()})
    }
    read = {number: _predictions_at(study, stored, rung) for number, stored in reached.items()}
    found = {number: predictions for number, predictions in read.items() if predictions is not None}
    cost = (rung.folds - 1) * next(iter(study.stored.values())).epochs + rung.epoch
    went_on = sum(sum(part.trained for part in reached[number].parts.values()) > cost for number in found)
    if not 0 < went_on < len(found):
        return
    folds = list(range(rung.folds))
    rows = _rows_of_folds(study, folds)
    finished = {trial.number: first + place for place, trial in enumerate(study.trials)}
    yield Elimination(
        np.stack([np.concatenate([one[fold] for fold in folds]) for one in found.values()]),
        np.array([finished.get(number, -1) for number in found]),
        went_on,
        study.samples["target"].to_numpy()[rows],
        np.array([persons[name] for name in study.samples["person"].to_numpy(str)[rows]]),
        METRICS[study.space.metric],
    )


def _predictions_at(study: StudyCandidates, stored: StoredTrial, rung: Rung) -> Mapping[int, Probabilities] | None:
    """Return what a trial predicted at a rung by fold, None where that was not kept; every fold's images sorted by id."""
    folder = study.folder.path
    try:
        if rung.epoch == stored.epochs:
            by_fold = {fold: read_predictions(folder, stored.trial, fold).probabilities for fold in range(rung.folds)}
        elif rung.epoch in looks_of(stored.parts[0]):
            by_fold = {0: checked_look(folder, stored.parts[0], rung.epoch)}
        else:
            return None
        return {fold: _by_id(study, fold, probabilities) for fold, probabilities in by_fold.items()}
    except FolderError as error:
        logger.warning(
            "left out of the eliminations that are made again: %s trial %d: %s", folder.name, stored.trial, error
        )
        return None


def _by_id(study: StudyCandidates, fold: int, probabilities: Probabilities) -> Probabilities:
    """Return a fold's probabilities, kept in the order of the table of images, sorted by id as that table is when read."""
    own = study.samples.index[study.samples["fold"] == fold].to_numpy()
    if len(own) != len(probabilities):
        raise FolderError(f"{study.folder.path}: a look has {len(probabilities)} images, its fold {len(own)}")
    return probabilities[np.argsort(np.argsort(own))]


def _rows_of_folds(study: StudyCandidates, folds: Sequence[int]) -> Rows:
    """Return the rows of folds, one fold after the other, each sorted by id."""
    of_fold = study.samples["fold"].to_numpy()
    return np.concatenate([np.flatnonzero(of_fold == fold) for fold in folds])
