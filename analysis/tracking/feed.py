"""From a study's record to a tool: whatever it does not know yet, one run a trial."""

from analysis.reading.knobs import effective_knobs
from analysis.tracking.contents import confusion, final_scalars, scalars, training_batch
from analysis.tracking.sent import Sent, read_sent, without_credentials, write_sent
from analysis.tracking.tracker import End, Run, Tracker
from studies.metrics import Metric
from studies.record.events import FoldRewound, Launched, TrialRestored
from studies.record.record_tail import RecordTail
from studies.state.search_facts import facts_of
from studies.state.shown_metric import shown_metric
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.study import Study
from studies.study_lock import is_held


class Feed:
    """Follows one study and tells one tool; asked again, it tells what has come since."""

    def __init__(self, study: Study, tool: str, tracker: Tracker, *, again: bool = False) -> None:
        self._study, self._folder, self._tool, self._tracker, self._again = study, study.folder, tool, tracker, again
        self._rungs = facts_of(study.space, ()).rungs
        self._begin_anew()

    @property
    def _metric(self) -> Metric:
        return shown_metric(self._study.space.metric, self._state)

    def _begin_anew(self) -> None:
        self._tail, self._state, self._key = RecordTail(self._folder.record), StudyState(), ""
        self._sent: Sent | None = None
        self._begun: dict[int, Run] = {}
        self._rewound: dict[int, list[int]] = {}  # of every trial to which fold-epochs it was set back

    def tell(self) -> int:
        """Send what is new and return how many fold-epochs that was; what was sent is kept at once."""
        self._read()
        if not self._key:
            return 0  # no launch yet
        if self._sent is None:
            self._sent = Sent(destination=without_credentials(self._tracker.destination), key=self._key)
            if not self._again:
                self._sent = read_sent(self._folder, self._tool, self._sent)
        return sum(self._tell_trial(trial, self._sent) for trial in self._state.trials.values())

    def rest(self) -> int:
        """Tell what is new, and close the runs of trials that nobody trains any more; return the new fold-epochs."""
        new = self.tell()
        running = is_held(self._folder.path)
        for trial in self._state.trials.values():
            if trial.epochs and self._sent is not None and not (running and trial.climbing):
                self._end(trial, self._sent, self._end_of(trial) or "out")
        return new

    def _read(self) -> None:
        events = self._tail.new_events()
        if events is None:
            self._begin_anew()
            events = self._tail.new_events()
        for event in events or ():
            if self._state.knows(event):
                self._state.apply(event)
            if isinstance(event, Launched):
                self._key = self._key or f"{self._folder.name}-{int(event.time * 1000):x}"
                self._rungs = facts_of(self._study.space, [event]).rungs
            elif isinstance(event, FoldRewound | TrialRestored):
                stands = self._state.trials[event.trial].fold_epochs if event.trial in self._state.trials else 0
                self._rewound.setdefault(event.trial, []).append(stands)

    def _end_of(self, trial: TrialState) -> End | None:
        """Return how a trial has ended, None while it may go on."""
        if trial.failure is not None:
            return "failed"
        return "finished" if trial.has_trained(self._rungs.top) else None

    def _tell_trial(self, trial: TrialState, sent: Sent) -> int:
        self._set_back(trial, sent)
        number, end = trial.number, self._end_of(trial)
        known, pictures = sent.fold_epochs.get(number, 0), sent.folds.get(number, 0)
        told = trial.fold_epochs <= known and len(self._fold_ends(trial)) <= pictures
        if told and (end is None or sent.ends.get(number) == end):
            return 0
        self._begin(trial, sent)
        new = trial.fold_epochs - sent.fold_epochs.get(number, 0)
        if new > 0:
            sent.ends.pop(number, None)
        self._send_epochs(trial, sent)
        if end is not None:
            self._end(trial, sent, end)
        return max(0, new)

    def _set_back(self, trial: TrialState, sent: Sent) -> None:
        """Have a trial told from its beginning that has lost epochs since, and one that was taken back end again."""
        rewound, told = self._rewound.get(trial.number, []), sent.rewound.get(trial.number, 0)
        if len(rewound) == told:
            return
        sent.ends.pop(trial.number, None)
        if min(rewound[told:], default=0) < sent.fold_epochs.get(trial.number, 0):
            sent.forget(trial.number)
            self._begun.pop(trial.number, None)
        sent.rewound[trial.number] = len(rewound)

    def _begin(self, trial: TrialState, sent: Sent) -> Run:
        number = trial.number
        if number not in self._begun:
            parameters = effective_knobs(trial.configuration)
            run = Run(self._folder.name, self._key, number, trial.origin, parameters)
            if number not in sent.fold_epochs and number not in sent.ends:
                self._tracker.forget(run)  # what may be there was told by somebody else, or only in part
            if not self._tracker.begin(run):
                sent.forget(number)
            if number not in sent.fold_epochs and (picture := training_batch(self._folder, trial)) is not None:
                self._tracker.picture(run, "training_batch", picture, 0)
            self._begun[number] = run
        return self._begun[number]

    def _fold_ends(self, trial: TrialState) -> list[int]:
        """Return after how many fold-epochs each of a trial's folds was finished."""
        return [step for step, epoch in enumerate(trial.epochs, 1) if epoch.epoch == self._rungs.epochs - 1]

    def _send_epochs(self, trial: TrialState, sent: Sent) -> None:
        """Send scalars, and the confusion matrix of every fold where it ends: some tools take no step twice."""
        number, run = trial.number, self._begun[trial.number]
        pictures = self._fold_ends(trial)[sent.folds.get(number, 0) :]
        for stop in sorted({*pictures, trial.fold_epochs}):
            known = sent.fold_epochs.get(number, 0)
            new = enumerate(trial.epochs[known:stop], known + 1)
            if steps := [(step, epoch.time, scalars(epoch, self._metric)) for step, epoch in new]:
                self._tracker.log(run, steps)
                sent.fold_epochs[number] = stop
                write_sent(self._folder, self._tool, sent)  # before a picture that may fail
            if stop in pictures:
                fold = trial.epochs[stop - 1].fold
                if (picture := confusion(self._study, number, fold)) is not None:
                    self._tracker.picture(run, f"confusion_fold_{fold + 1}", picture, stop)
                sent.folds[number] = sent.folds.get(number, 0) + 1
                write_sent(self._folder, self._tool, sent)

    def _end(self, trial: TrialState, sent: Sent, how: End) -> None:
        if sent.ends.get(trial.number) != how:
            self._tracker.end(self._begin(trial, sent), how, final_scalars(trial, self._metric))
            sent.ends[trial.number] = how
            write_sent(self._folder, self._tool, sent)
