"""Gauges and counters of every trial, through Ray's metrics: Prometheus scrapes them from each node (see deploy/)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ray.util.metrics import Counter, Gauge

from schedulers.study_run import StudyRun
from studies.events import EpochScored, Event
from studies.metrics import METRICS
from studies.study_folder import StudyFolder
from studies.study_state import TrialState

_TAGS = ("study", "trial")
GAUGES = {
    "foldrace_score": "pooled score over the folds so far, as people read the metric",
    "foldrace_loss": "mean training loss of the last epoch",
    "foldrace_fold": "fold that the last epoch belongs to, from 1",
    "foldrace_epoch": "last epoch in its fold, from 1",
    "foldrace_images_per_second": "training throughput of the last epoch",
    "foldrace_gpu_memory_bytes": "bytes that torch held at most in the last epoch; absent without a GPU",
}
COUNTERS = {"foldrace_fold_epochs": "fold-epochs trained", "foldrace_rungs": "rungs of the ladder reached"}
_OF_THE_STUDY = {
    "foldrace_best_score": "the best pooled score at the furthest rung",
    "foldrace_climbing": "trials that train",
    "foldrace_throughput": "images per second of all trials that train, by their last epochs",
}


@contextmanager
def measured(folder: StudyFolder, run: StudyRun) -> Iterator[Callable[[Event], None]]:
    """Yield what tells Ray's metrics about every fold-epoch."""
    metrics = TrialMetrics(folder.name, run)
    yield metrics.take


class TrialMetrics:
    """The metrics of one search. Ray exports a trial's last values for as long as the driver lives."""

    def __init__(self, study: str, run: StudyRun) -> None:
        self._run, self._study = run, study
        self._shown = METRICS[run.space.metric].shown
        self._gauges = {name: Gauge(name, description=text, tag_keys=_TAGS) for name, text in GAUGES.items()}
        self._counters = {name: Counter(name, description=text, tag_keys=_TAGS) for name, text in COUNTERS.items()}
        self._totals = {
            name: Gauge(name, description=text, tag_keys=("study",)) for name, text in _OF_THE_STUDY.items()
        }
        self._best: tuple[int, float] | None = None

    def take(self, event: Event) -> None:
        """Take a fold-epoch in; of other events the number of trials that train."""
        self._totals["foldrace_climbing"].set(len(self._run.state.climbing()), {"study": self._study})
        if not isinstance(event, EpochScored):
            return
        tags = {"study": self._study, "trial": str(event.trial)}
        values = {
            "foldrace_score": self._shown(event.score),
            "foldrace_loss": event.loss,
            "foldrace_fold": event.fold + 1,
            "foldrace_epoch": event.epoch + 1,
            "foldrace_images_per_second": event.images_per_second,
            "foldrace_gpu_memory_bytes": event.gpu_memory,
        }
        for name, value in values.items():
            if value is not None:
                self._gauges[name].set(value, tags)
        self._counters["foldrace_fold_epochs"].inc(1, tags)
        climbing = [trial.epochs[-1] for trial in self._run.state.climbing() if trial.epochs]
        together = sum(epoch.images_per_second or 0.0 for epoch in climbing)
        self._totals["foldrace_throughput"].set(together, {"study": self._study})
        trial = self._run.state.trials[event.trial]
        if trial.fold_epochs in self._run.ladder.rungs:
            self._counters["foldrace_rungs"].inc(1, tags)
            self._lead(trial, event.score)

    def _lead(self, trial: TrialState, score: float) -> None:
        if self._best is None or (trial.fold_epochs, score) > self._best:
            self._best = trial.fold_epochs, score
            self._totals["foldrace_best_score"].set(self._shown(score), {"study": self._study})
