"""`optuna.journal`: the record mirrored for optuna-dashboard. It may be deleted at any moment; nothing reads it back.

    optuna-dashboard results/age/optuna.journal

A trial is finished in Optuna when nothing more can happen to it: at the top, or failed; the others when the launch ends. Finished
trials cannot be changed, so every launch writes the mirror anew.
"""

import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import Trial, TrialState

from schedulers.samplers.dimensions import distribution
from schedulers.study_run import StudyRun
from search_spaces import SearchSpace
from studies.metrics import METRICS
from studies.record.events import Event, RungReached, TrialAdded, TrialFailed
from studies.state.rungs import Rung, Rungs
from studies.state.study_state import StudyState
from studies.study_folder import StudyFolder

logger = logging.getLogger(__name__)


class OptunaJournal:
    """Writes a study's events into an Optuna journal; gives up quietly when it cannot, or when the file is taken away."""

    def __init__(self, path: Path, space: SearchSpace, rungs: Rungs, study: StudyState) -> None:
        self._path, self._space, self._rungs, self._state = path, space, rungs, study
        self._metric = METRICS[space.metric]
        self._trials: dict[int, Trial] = {}
        self._finished: set[int] = set()
        self._study: optuna.Study | None = None
        self._guarded(self._write_anew)

    def take(self, event: Event) -> None:
        """Write one event."""
        if isinstance(event, TrialAdded | RungReached | TrialFailed):
            self._guarded(self._take, event)

    def close(self) -> None:
        """Finish the trials that rest: pruned where they stand."""
        for trial in self._state.trials.values():
            self._guarded(self._finish, trial.number, TrialState.PRUNED)

    def _guarded(self, action: Callable[..., None], *arguments: Any) -> None:
        try:
            if self._study is not None and not self._path.exists():
                self._write_anew()
            elif self._study is not None or action == self._write_anew:
                action(*arguments)
        except Exception as error:  # a mirror must never cost a search
            logger.info("%s: not mirrored any more (%s)", self._path, error)
            self._study = None

    def _write_anew(self) -> None:
        for leftover in self._path.parent.glob(f"{self._path.name}*"):  # with a lock that a crash left behind
            leftover.unlink()
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            storage = JournalStorage(JournalFileBackend(str(self._path)))
        direction = "maximize" if self._metric.maximised else "minimize"
        self._study = optuna.create_study(study_name=self._space.name, storage=storage, direction=direction)
        self._trials, self._finished = {}, set()
        for trial in self._state.trials.values():
            self._begin(trial.number)
            for rung in sorted(trial.scores):
                self._report(trial.number, rung)
            self._settle(trial.number)

    def _take(self, event: TrialAdded | RungReached | TrialFailed) -> None:
        if isinstance(event, TrialAdded):
            self._begin(event.trial)
        elif isinstance(event, RungReached):
            self._report(event.trial, Rung(event.folds, event.epoch))
        self._settle(event.trial)

    def _begin(self, number: int) -> None:
        assert self._study is not None
        state = self._state.trials[number]
        values = state.configuration
        drawn_from = {name: one for name, one in self._space.drawn_from(values).items() if one.contains(values[name])}
        self._study.enqueue_trial({name: values[name] for name in drawn_from})
        trial = self._study.ask({name: distribution(one) for name, one in drawn_from.items()})
        trial.set_user_attr("origin", state.origin)
        self._trials[number] = trial

    def _report(self, number: int, rung: Rung) -> None:
        """Report the score of a rung, at the fold-epochs that it costs."""
        score = self._state.trials[number].score_at(rung)
        if number not in self._finished and score is not None:
            self._trials[number].report(self._metric.shown(score), self._rungs.cost(rung))

    def _settle(self, number: int) -> None:
        """Finish a trial to which nothing more can happen."""
        state = self._state.trials[number]
        if state.failure is not None:
            self._finish(number, TrialState.FAIL)
        elif self._rungs.top in state.scores:
            self._finish(number, TrialState.COMPLETE)

    def _finish(self, number: int, state: TrialState) -> None:
        if self._study is None or number in self._finished:
            return
        self._finished.add(number)
        score = self._state.trials[number].score_at(self._rungs.top)
        values = self._metric.shown(score) if state == TrialState.COMPLETE and score is not None else None
        self._study.tell(self._trials[number], values, state=state)


@contextmanager
def journaled(folder: StudyFolder, run: StudyRun) -> Iterator[Callable[[Event], None]]:
    """Yield what writes a run's events into the study's Optuna journal."""
    journal = OptunaJournal(folder.mirror, run.space, run.strategy.rungs, run.state)
    yield journal.take
    journal.close()
