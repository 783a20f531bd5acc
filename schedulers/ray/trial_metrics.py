"""Gauges and counters of every trial, through Ray's metrics: Prometheus scrapes them from each node (see deploy/)."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

from ray.util.metrics import Counter, Gauge

from schedulers.study_run import StudyRun
from studies.metrics import METRICS
from studies.record.events import EpochScored, Event, RungReached
from studies.state.ranking import best_trial
from studies.study_folder import StudyFolder

_EVERY = 5.0  # seconds
_TAGS = ("study", "trial")
GAUGES = {
    "foldrace_score": "score of the fold after its last epoch, as people read the metric",
    "foldrace_loss": "mean training loss of the last epoch",
    "foldrace_fold": "fold that the last epoch belongs to, from 1",
    "foldrace_epoch": "last epoch in its fold, from 1",
    "foldrace_images_per_second": "training throughput of the last epoch",
    "foldrace_gpu_memory_bytes": "bytes that tensors held at most in the last epoch; absent without a GPU",
    "foldrace_gpu_reserved_bytes": "bytes that torch had taken for them; absent without a GPU",
    "foldrace_wait_input_seconds": "seconds of the last epoch in which training waited for images",
    "foldrace_device_seconds": "seconds of the last epoch that a GPU trained, by its own events; absent without one",
}
COUNTERS = {"foldrace_fold_epochs": "fold-epochs trained", "foldrace_rungs": "rungs of the ladder reached"}
_OF_THE_STUDY = {
    "foldrace_best_score": "the best pooled score at the furthest rung",
    "foldrace_climbing": "trials that train",
    "foldrace_throughput": "images per second of all trials that train, by their last epochs",
}


@contextmanager
def measured(folder: StudyFolder, run: StudyRun) -> Iterator[Callable[[Event], None]]:
    """Yield what tells Ray's metrics about every fold-epoch, and say again in between who trains."""
    metrics, over = TrialMetrics(folder.name, run), threading.Event()
    thread = threading.Thread(target=metrics.say_again, args=[over], daemon=True)
    thread.start()
    try:
        yield metrics.take
    finally:
        over.set()
        thread.join(timeout=_EVERY)


class TrialMetrics:
    """The metrics of one search. Ray exports a gauge for twenty seconds after it was set, a counter as long as it lives."""

    def __init__(self, study: str, run: StudyRun) -> None:
        self._run, self._study = run, quote(study, safe=" ")  # Ray drops metrics with tags beyond ASCII without a word
        self._shown = METRICS[run.space.metric].shown
        self._gauges = {name: Gauge(name, description=text, tag_keys=_TAGS) for name, text in GAUGES.items()}
        self._counters = {name: Counter(name, description=text, tag_keys=_TAGS) for name, text in COUNTERS.items()}
        self._totals = {
            name: Gauge(name, description=text, tag_keys=("study",)) for name, text in _OF_THE_STUDY.items()
        }

    def take(self, event: Event) -> None:
        """Count a fold-epoch, and set what it changes."""
        if isinstance(event, EpochScored):
            self._counters["foldrace_fold_epochs"].inc(1, self._tags(event.trial))
            self._set(event)
        elif isinstance(event, RungReached):
            self._counters["foldrace_rungs"].inc(1, self._tags(event.trial))
        self._set_totals()

    def say_again(self, over: threading.Event) -> None:
        """Set the gauges of the trials that train now and then: an epoch may take longer than Ray remembers them."""
        while not over.wait(_EVERY):
            with suppress(RuntimeError):  # the driver's loop changes the state meanwhile
                for epoch in self._training():
                    self._set(epoch)
                self._set_totals()

    def _training(self) -> list[EpochScored]:
        """Return the last epoch of every trial that trains."""
        return [trial.epochs[-1] for trial in self._run.state.climbing() if trial.epochs]

    def _tags(self, trial: int) -> dict[str, str]:
        return {"study": self._study, "trial": str(trial)}

    def _set(self, epoch: EpochScored) -> None:
        values = {
            "foldrace_score": self._shown(epoch.score),
            "foldrace_loss": epoch.loss,
            "foldrace_fold": epoch.fold + 1,
            "foldrace_epoch": epoch.epoch + 1,
            "foldrace_images_per_second": epoch.images_per_second,
            "foldrace_gpu_memory_bytes": epoch.gpu_memory,
            "foldrace_gpu_reserved_bytes": epoch.gpu_reserved,
            "foldrace_wait_input_seconds": epoch.phases.get("wait_input"),
            "foldrace_device_seconds": epoch.phases.get("device"),
        }
        for name, value in values.items():
            if value is not None:
                self._gauges[name].set(value, self._tags(epoch.trial))

    def _set_totals(self) -> None:
        leads = best_trial(self._run.state, self._run.strategy.rungs)
        totals = {
            "foldrace_climbing": float(len(self._run.state.climbing())),
            "foldrace_throughput": sum(epoch.images_per_second or 0.0 for epoch in self._training()),
            **({"foldrace_best_score": self._shown(leads[2])} if leads else {}),
        }
        for name, value in totals.items():
            self._totals[name].set(value, {"study": self._study})
