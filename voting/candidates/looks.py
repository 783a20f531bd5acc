"""What trials said where they rested, read for the eliminations to be judged again."""

import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from studies.looks import checked_look, looks_of
from studies.manifest import FolderError, Manifest
from studies.metrics import METRICS, Probabilities
from studies.predictions import read_predictions
from voting.candidates.studies import FinishedStudy
from voting.out_of_fold.eliminations import Rung
from voting.out_of_fold.objective import Rows

logger = logging.getLogger(__name__)


def rungs_of(study: FinishedStudy, first: int, persons: Mapping[str, int]) -> list[Rung]:
    """Return the rungs of a study on which some trials stayed and others went on, as far as looks were kept.

    `first` is the position of the study's first finished trial among the candidates, `persons` numbers the persons. The recipe is
    no part of it: it is never eliminated.
    """
    epochs = next(iter(study.manifests.values())).epochs if study.manifests else 0
    ends = {fold * epochs for fold in range(1, study.space.search.folds)}
    rested = {number: set(looks_of(manifest)) for number, manifest in study.manifests.items()}
    rungs = sorted(ends.union(*rested.values())) if rested else []
    return [rung for one in rungs for rung in _rung(study, one, first, persons)]


def _rung(study: FinishedStudy, rung: int, first: int, persons: Mapping[str, int]) -> Iterator[Rung]:
    recipe = study.recipe.number if study.recipe else None
    reached = {number: one for number, one in study.manifests.items() if len(one.curve) >= rung and number != recipe}
    said = {number: _said(study, manifest, rung) for number, manifest in reached.items()}
    found = {number: folds for number, folds in said.items() if folds is not None}
    went_on = sum(len(reached[number].curve) > rung for number in found)
    if not 0 < went_on < len(found):
        return
    folds = sorted(set.intersection(*(set(one) for one in found.values())))
    if not folds:  # they were never judged on the same images
        return
    rows = _rows_of_folds(study, folds)
    finished = {trial.number: first + place for place, trial in enumerate(study.trials)}
    yield Rung(
        np.stack([np.concatenate([one[fold] for fold in folds]) for one in found.values()]),
        np.array([finished.get(number, -1) for number in found]),
        went_on,
        study.samples["target"].to_numpy()[rows],
        np.array([persons[name] for name in study.samples["person"].to_numpy(str)[rows]]),
        METRICS[study.space.metric],
    )


def _said(study: FinishedStudy, manifest: Manifest, rung: int) -> Mapping[int, Probabilities] | None:
    """Return what a trial said on a rung by fold, None where that was not kept; every fold's images sorted by id."""
    folder, begun = study.folder.path, manifest.curve[:rung]
    whole = [line.fold for line in begun if line.epoch == manifest.epochs - 1]
    unfinished = {line.fold for line in begun} - set(whole)
    if unfinished and rung not in looks_of(manifest):
        return None
    try:
        said = {fold: _by_id(study, fold, _predicted(study, manifest.trial, fold)) for fold in whole}
        looks = checked_look(folder, manifest, rung) if unfinished else {}
        return said | {fold: _by_id(study, fold, one) for fold, one in looks.items()}
    except FolderError as error:
        logger.warning(
            "left out of the eliminations that are made again: %s trial %d: %s", folder.name, manifest.trial, error
        )
        return None


def _predicted(study: FinishedStudy, trial: int, fold: int) -> Probabilities:
    return read_predictions(study.folder.path, trial, fold).probabilities


def _by_id(study: FinishedStudy, fold: int, probabilities: Probabilities) -> Probabilities:
    """Return a fold's probabilities, kept in the order of the table of images, sorted by id as that table is when read."""
    own = study.samples.index[study.samples["fold"] == fold].to_numpy()
    if len(own) != len(probabilities):
        raise FolderError(f"{study.folder.path}: a look has {len(probabilities)} images, its fold {len(own)}")
    return probabilities[np.argsort(np.argsort(own))]


def _rows_of_folds(study: FinishedStudy, folds: Sequence[int]) -> Rows:
    """Return the rows of folds, one fold after the other, each sorted by id."""
    of_fold = study.samples["fold"].to_numpy()
    return np.concatenate([np.flatnonzero(of_fold == fold) for fold in folds])
