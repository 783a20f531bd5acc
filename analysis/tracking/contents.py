"""What runs hold beside their parameters: scalars of every fold-epoch, and pictures."""

import logging
from collections.abc import Mapping
from pathlib import Path

from analysis.figures.confusion import confusion_picture
from analysis.tracking.tracker import Picture
from studies.errors import StudyError
from studies.metrics import Metric
from studies.record.events import EpochScored
from studies.state.trial_state import TrialState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.trials.predictions import read_predictions
from trainables.config import configured

logger = logging.getLogger(__name__)


def scalars(epoch: EpochScored, metric: Metric) -> Mapping[str, float]:
    """Return what was measured in a fold-epoch, as the metric is read; folds and epochs count from 1."""
    values = {
        metric.name: metric.shown(epoch.score),
        "loss": epoch.loss,
        "learning_rate": epoch.learning_rate,
        "images_per_second": epoch.images_per_second,
        "gpu_memory": epoch.gpu_memory,
        "gpu_reserved": epoch.gpu_reserved,
        "wait_input": epoch.phases.get("wait_input"),
        "device_seconds": epoch.phases.get("device"),
        "fold": epoch.fold + 1,
        "epoch": epoch.epoch + 1,
        "seconds": epoch.seconds,
    }
    return {name: float(value) for name, value in values.items() if value is not None}


def final_scalars(trial: TrialState, metric: Metric) -> Mapping[str, float]:
    """Return where a trial ended."""
    final = {"final/fold_epochs": float(trial.fold_epochs)}
    return final | ({f"final/{metric.name}": metric.shown(_final_score(trial))} if trial.epochs else {})


def _final_score(trial: TrialState) -> float:
    """Return the score at the highest rung that a trial came to, or of its last epoch."""
    return trial.scores[max(trial.scores)] if trial.scores else trial.epochs[-1].score


def confusion(study: Study, trial: int, fold: int) -> Picture | None:
    """Return the confusion matrix of a finished fold; None, and a warning, where its predictions are gone."""
    try:
        said = read_predictions(study.folder.path, trial, fold)
        return confusion_picture(said.targets, said.probabilities, study.classes)
    except ValueError as error:
        logger.warning("trial %d: no confusion matrix of fold %d: %s", trial, fold + 1, error)
        return None


def training_batch(folder: StudyFolder, trial: TrialState) -> Picture | None:
    """Return a picture of a trial's first training batch; None, and a warning, where the images are gone."""
    try:
        if not Path(str(folder.facts(folder.data, ("cache",))["cache"])).is_dir():
            raise StudyError(
                f"{folder.data}: the decoded images that it names are gone"
            )  # not to be decoded for a picture
        from trainables.training.images.first_batch import first_batch  # torch comes with it

        return first_batch(folder.path, trial.number, configured(trial.configuration))
    except (ValueError, OSError, KeyError) as error:
        logger.warning("trial %d: no picture of a training batch: %s", trial.number, error)
        return None
