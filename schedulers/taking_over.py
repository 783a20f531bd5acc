"""What a launch finds of the last one: epochs that only folders know, setups that are mended, climbs that nobody ended."""

from schedulers.disk.trimming import Folders
from schedulers.next_work import failed_setup
from schedulers.study_log import StudyLog
from storage.outage import is_outage
from studies.errors import RecordError, check_command
from studies.record.events import (
    WITHDRAWN,
    ClimbEnded,
    Dropped,
    EpochScored,
    PredictionsReplaced,
    RungReached,
    TrialRestored,
)
from studies.state.rungs import Rung, Rungs
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.trials.manifest import FolderError


def take_over(log: StudyLog, rungs: Rungs, folders: Folders) -> None:
    """Take every trial as standing where its folder says, and back what failed alike under the last launch.

    Raises:
        RecordError: the record has lost all trials.
        FolderError: the predictions of a finished fold are missing or damaged.
    """
    newest = folders.newest_attempt()
    log.state.last_attempt = max(log.state.last_attempt, newest)
    if newest and not log.state.trials:
        raise RecordError(
            f"{log.path}: is empty, but there are trial folders beside it;"
            f" {check_command(log.path.parent)} --repair takes over what they know"
        )
    for trial in log.state.trials.values():
        _refuse_lost_manifests(trial, log, folders)
    log.charge(_seconds_unrecorded(log.state, folders))
    for trial in log.state.trials.values():
        catch_up(trial, log, rungs, folders)
        _note_lost_weights(trial, log, rungs, folders)
    _try_again_what_failed_alike(log)


def _refuse_lost_manifests(trial: TrialState, log: StudyLog, folders: Folders) -> None:
    for fold in folders.left_alone(trial.number) if trial.failure is None else ():
        if trial.epochs_of(fold):
            raise FolderError(
                f"{log.path.parent}: trial {trial.number} fold {fold + 1} has files but no manifest.json; restore it, or"
                f" {check_command(log.path.parent)} --repair sets the trial aside and has it trained again"
            )


def _seconds_unrecorded(study: StudyState, folders: Folders) -> float:
    """Return how long the epochs ran that only folders know: those of a fold one after the other, folds side by side."""
    by_fold: dict[tuple[int, int], float] = {}
    for trial in study.trials.values():
        for epoch in unrecorded(trial, folders):
            by_fold[trial.number, epoch.fold] = by_fold.get((trial.number, epoch.fold), 0.0) + epoch.seconds
    slots = 1 if study.launch is None else study.launch.slots or 1
    return max(max(by_fold.values(), default=0.0), sum(by_fold.values()) / slots if slots > 1 else 0.0)


def _note_lost_weights(trial: TrialState, log: StudyLog, rungs: Rungs, folders: Folders) -> None:
    """Record weights that are gone and that the record believes to be there: a trial that goes on has to have them again."""
    if trial.failure is not None or trial.has_trained(rungs.top):
        return
    for fold in folders.without_weights(trial.number):
        if not trial.fold(fold).owes_weights:
            log.note(Dropped, trial=trial.number, fold=fold, part="weights", bytes=0)


def unrecorded(trial: TrialState, folders: Folders) -> list[EpochScored]:
    """Return the epochs that a trial's folder has and the record lacks: saved just before a crash."""
    saved = folders.saved_epochs(trial.number)
    return [epoch for fold in sorted(saved) for epoch in saved[fold][trial.epochs_of(fold) :]]


def catch_up(trial: TrialState, log: StudyLog, rungs: Rungs, folders: Folders) -> None:
    """Record what a trial's folder has and the record lacks: epochs, predictions that were replaced, and rungs reached."""
    for epoch in unrecorded(trial, folders):
        log.add(epoch)
    lacking = folders.without_weights(trial.number)
    for fold, saved in folders.saved_epochs(trial.number).items():
        known = trial.folds[fold].epochs[: len(saved)]
        settled = trial.folds[fold].owes_weights and fold not in lacking
        if len(saved) == rungs.epochs and known and (settled or known[-1].score != saved[-1].score):
            replace_predictions(trial, fold, saved[-1].score, log, rungs, folders)
    score_rungs(trial, log, rungs, folders)


def score_rungs(trial: TrialState, log: StudyLog, rungs: Rungs, folders: Folders) -> None:
    """Record the pooled score of every rung that a trial has come to."""
    for rung in rungs.levels:
        if rung not in trial.scores and trial.has_trained(rung):
            _score_rung(trial, rung, log, folders)


def replace_predictions(
    trial: TrialState, fold: int, score: float, log: StudyLog, rungs: Rungs, folders: Folders
) -> None:
    """Record that a finished fold was predicted anew, and score the rungs again that stand on it."""
    log.note(PredictionsReplaced, trial=trial.number, fold=fold, score=score)
    for rung in rungs.levels:
        if rung in trial.scores and rung.folds > fold and rung.epoch == rungs.epochs:
            _score_rung(trial, rung, log, folders)


def _score_rung(trial: TrialState, rung: Rung, log: StudyLog, folders: Folders) -> None:
    first = trial.folds[0].epochs[rung.epoch - 1].score
    score = first if rung.folds == 1 else folders.pooled_score(trial.number, rung.folds)
    log.note(RungReached, trial=trial.number, folds=rung.folds, epoch=rung.epoch, score=score)


def end_open_climbs(log: StudyLog) -> None:
    """Note climbs whose actors are gone as ended."""
    for trial in log.state.trials.values():
        for number, fold in trial.climbs:
            reason = "rung" if len(fold.epochs) >= fold.bound_for else "stopped"
            log.note(ClimbEnded, trial=trial.number, fold=number, attempt=fold.attempt, reason=reason)


def _is_of_storage(trial: TrialState) -> bool:
    """Tell whether an outage of storage failed a trial, as earlier versions let it."""
    return trial.failure == "error" and is_outage(RuntimeError(trial.reason or ""))


def _try_again_what_failed_alike(log: StudyLog) -> None:
    """Take the trials back, each once, whose failures stopped the last launch: the setup may be mended by now."""
    failed = set(log.state.climbed_since_launch) if failed_setup(log.state) else set[int]()
    failed |= {number for number, trial in log.state.trials.items() if _is_of_storage(trial)}
    if log.state.mishaps.machine_fails:
        failed |= {mishap.trial for mishap in log.state.mishaps.row}
    for number in sorted(failed):
        trial = log.state.trials[number]
        if trial.failure not in (None, "not_finite", WITHDRAWN) and not trial.taken_back:
            log.note(TrialRestored, trial=number)
