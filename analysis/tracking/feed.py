"""From a study's record to a tool: whatever it does not know yet, one run a trial."""

import logging
from collections.abc import Mapping

from analysis.figures.confusion import confusion_picture
from analysis.reading.counts import places
from analysis.tracking.sent import Sent, read_sent, write_sent
from analysis.tracking.tracker import End, Run, Tracker
from schedulers.ladder import Ladder
from schedulers.search_settings import make_ladder
from studies.events import EpochScored, Launched
from studies.metrics import METRICS
from studies.predictions import read_predictions
from studies.record import StudyLock
from studies.record_tail import RecordTail
from studies.study_folder import StudyFolder
from studies.study_state import StudyState, TrialState
from trainables.config import configured

logger = logging.getLogger(__name__)


class Feed:
    """Follows one study and tells one tool; asked again, it tells what has come since."""

    def __init__(self, folder: StudyFolder, tool: str, tracker: Tracker, *, again: bool = False) -> None:
        self._folder, self._tool, self._tracker, self._again = folder, tool, tracker, again
        self._space = folder.stored_space()
        self._ladder: Ladder = make_ladder(self._space)
        self._metric = METRICS[self._space.metric]
        self._tail, self._state, self._key = RecordTail(folder.record), StudyState(), ""
        self._sent: Sent | None = None
        self._begun: dict[int, Run] = {}

    def tell(self) -> int:
        """Send what is new and return how many fold-epochs that was; what was sent is kept at once."""
        self._read()
        if not self._key:
            return 0  # no launch yet
        if self._sent is None:
            self._sent = read_sent(self._folder, self._tool, self._tracker.destination, self._key)
            if self._again:
                self._sent = Sent(destination=self._tracker.destination, key=self._key)
        return sum(self._tell_trial(trial, self._sent) for trial in self._state.trials.values())

    def rest(self) -> None:
        """Tell what is new, and close the runs of trials that nobody trains any more."""
        self.tell()
        standing = places(self._state, self._ladder)
        for trial in self._state.trials.values():
            if trial.epochs and self._sent is not None and not self._running(trial):
                self._end(trial, self._sent, "finished" if standing[trial.number] == "finished" else "out")

    def _running(self, trial: TrialState) -> bool:
        return trial.climbing and StudyLock.is_held(self._folder.path)

    def _read(self) -> None:
        for event in self._tail.new_events():
            if self._state.knows(event):
                self._state.apply(event)
            if isinstance(event, Launched) and not self._key:
                self._key = f"{self._folder.name}-{int(event.time * 1000):x}"

    def _tell_trial(self, trial: TrialState, sent: Sent) -> int:
        known = sent.fold_epochs.get(trial.number, 0)
        if trial.fold_epochs <= known and not self._ended(trial, sent):
            return 0
        run = self._begin(trial, sent)
        new = trial.fold_epochs - sent.fold_epochs.get(trial.number, 0)
        if new > 0:
            sent.ends.pop(trial.number, None)
            self._send_epochs(trial, run, sent)
        if trial.failure is not None:
            self._end(trial, sent, "failed")
        elif trial.fold_epochs >= self._ladder.top:
            self._end(trial, sent, "finished")
        write_sent(self._folder, self._tool, sent)
        return max(0, new)

    def _ended(self, trial: TrialState, sent: Sent) -> bool:
        """Tell whether a trial has failed since its run was told last."""
        return trial.failure is not None and sent.ends.get(trial.number) != "failed"

    def _begin(self, trial: TrialState, sent: Sent) -> Run:
        if trial.number not in self._begun:
            parameters = configured(trial.configuration).effective()
            run = Run(self._folder.name, self._key, trial.number, trial.origin, parameters)
            if not self._tracker.begin(run):
                sent.forget(trial.number)
            if trial.number not in sent.fold_epochs:
                self._training_batch(trial, run)
            self._begun[trial.number] = run
        return self._begun[trial.number]

    def _scalars(self, epoch: EpochScored) -> Mapping[str, float]:
        values = {
            self._metric.name: self._metric.shown(epoch.score),
            f"fold/{self._metric.name}": None if epoch.fold_score is None else self._metric.shown(epoch.fold_score),
            "loss": epoch.loss,
            "learning_rate": epoch.learning_rate,
            "images_per_second": epoch.images_per_second,
            "fold": float(epoch.fold + 1),
            "epoch": float(epoch.epoch + 1),
            "seconds": epoch.seconds,
        }
        return {name: value for name, value in values.items() if value is not None}

    def _send_epochs(self, trial: TrialState, run: Run, sent: Sent) -> None:
        """Send scalars, and the confusion matrix of every fold where it ends: some tools take no step twice."""
        number = trial.number
        finished = [place for place, epoch in enumerate(trial.epochs, 1) if epoch.epoch == self._ladder.epochs - 1]
        pictures = finished[sent.folds.get(number, 0) :]
        for stop in sorted({*pictures, trial.fold_epochs}):
            known = sent.fold_epochs.get(number, 0)
            new = enumerate(trial.epochs[known:stop], known + 1)
            self._tracker.log(run, [(step, epoch.time, self._scalars(epoch)) for step, epoch in new])
            sent.fold_epochs[number] = max(known, stop)
            if stop in pictures:
                self._confusion(trial, run, stop)
        sent.folds[number] = len(finished)

    def _confusion(self, trial: TrialState, run: Run, step: int) -> None:
        fold = trial.epochs[step - 1].fold
        try:
            said = read_predictions(self._folder.path, trial.number, fold)
            picture = confusion_picture(said.targets, said.probabilities, self._folder.classes())
        except ValueError as error:  # its folder was taken away
            logger.warning("trial %d: no confusion matrix of fold %d: %s", trial.number, fold + 1, error)
        else:
            self._tracker.picture(run, f"confusion_fold_{fold + 1}", picture, step)

    def _training_batch(self, trial: TrialState, run: Run) -> None:
        from trainables.training.images.first_batch import first_batch  # torch comes with it

        try:
            picture = first_batch(self._folder.path, trial.number, configured(trial.configuration))
        except (ValueError, OSError) as error:  # the images have gone
            logger.warning("trial %d: no picture of a training batch: %s", trial.number, error)
            return
        self._tracker.picture(run, "training_batch", picture, 0)

    def _end(self, trial: TrialState, sent: Sent, how: End) -> None:
        if sent.ends.get(trial.number) == how:
            return
        run = self._begin(trial, sent)
        final = {"final/fold_epochs": float(trial.fold_epochs)}
        if trial.epochs:
            final[f"final/{self._metric.name}"] = self._metric.shown(trial.epochs[-1].score)
        self._tracker.end(run, how, final)
        sent.ends[trial.number] = how
        write_sent(self._folder, self._tool, sent)
