"""What a launch finds of the last one: epochs that only folders know, setups that are mended, climbs that nobody ended."""

from schedulers.disk.trimming import Folders
from schedulers.ladder import Ladder
from schedulers.next_work import failed_setup
from schedulers.study_log import StudyLog
from studies.events import ClimbEnded, Rewound
from studies.failures import WITHDRAWN
from studies.record import RecordError
from studies.study_state import TrialState


def take_over(log: StudyLog, ladder: Ladder, folders: Folders) -> None:
    """Take every trial as standing where its folder says, and back what failed alike under the last launch.

    Raises:
        RecordError: the record has lost all trials.
    """
    newest = folders.newest_attempt()
    log.state.last_attempt = max(log.state.last_attempt, newest)
    if newest and not log.state.trials:
        raise RecordError(
            f"{log.path}: is empty, but there are trial folders beside it; python -m analysis.check"
            f" {log.path.parent} --repair takes over what they know"
        )
    for trial in log.state.trials.values():
        catch_up(trial, log, ladder, folders)
    _try_again_what_failed_alike(log)


def catch_up(trial: TrialState, log: StudyLog, ladder: Ladder, folders: Folders) -> None:
    """Record the epochs that a trial's folder has and the record lacks: saved just before a crash."""
    if trial.fold_epochs < ladder.top:
        for epoch in folders.saved_epochs(trial.number)[trial.fold_epochs :]:
            log.add(epoch)


def end_open_climbs(log: StudyLog) -> None:
    """Note climbs of the last launch as ended: their actors are gone."""
    for trial in log.state.climbing():
        reason = "rung" if trial.fold_epochs >= trial.rung else "stopped"
        log.note(ClimbEnded, trial=trial.number, attempt=trial.attempt, reason=reason)


def _try_again_what_failed_alike(log: StudyLog) -> None:
    """Take the trials back, each once, whose failures stopped the last launch: the setup may be mended by now."""
    for number in log.state.climbed_since_launch if failed_setup(log.state) else ():
        trial = log.state.trials[number]
        if trial.failure not in (None, "not_finite", WITHDRAWN) and not trial.taken_back:
            log.note(Rewound, trial=number, fold_epochs=trial.fold_epochs)
