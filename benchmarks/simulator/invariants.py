"""What must hold of every study, whatever goes wrong: nothing is lost, nothing is trained twice, every budget ends."""

from collections.abc import Sequence

from benchmarks.simulator.disk import Place, SimulatedFolders
from benchmarks.simulator.faults import Faults
from benchmarks.simulator.settings import Settings
from schedulers.study_run import StudyRun
from studies.record.record import read_record
from studies.record.requests import ChangeBudget, Request, StopTrial
from studies.state.study_state import StudyState
from studies.trials.climb_order import ClimbOrder
from studies.trials.failures import Failure

LONGEST = 2.0  # seconds of an epoch of a simulation
_TRIES = 2  # lost processes of a fold, or lack of memory, after which a trial may be out


class Broken(AssertionError):
    """Something that must hold does not."""


class Invariants:
    """Checks a simulated study after every step, given the faults and requests that it met."""

    def __init__(self, settings: Settings, disk: SimulatedFolders) -> None:
        self._settings, self._disk = settings, disk
        self._known: dict[Place, int] = {}  # epochs that stood in the record
        self._fatal = set[int]()  # trials that something may have failed
        self._mishaps: dict[int, int] = {}
        self._budget_changed = False

    def note_failure(self, order: ClimbOrder, failure: Failure | None) -> None:
        """Know what befell a climb."""
        if failure is None:
            return
        self._mishaps[order.trial] = self._mishaps.get(order.trial, 0) + 1
        if failure.kind == "not_finite" or self._mishaps[order.trial] >= _TRIES:
            self._fatal.add(order.trial)

    def note_request(self, request: Request) -> None:
        """Know what somebody asked for."""
        self._budget_changed |= isinstance(request, ChangeBudget)
        if isinstance(request, StopTrial):
            self._fatal.add(request.trial)

    def check_order(self, order: ClimbOrder, others: Sequence[ClimbOrder]) -> None:
        """Check that a climb has something to train that nobody else trains."""
        if any((other.trial, other.fold) == (order.trial, order.fold) for other in others):
            raise Broken(f"trial {order.trial} fold {order.fold} is given to two slots")
        place = self._disk.folds[order.trial, order.fold]
        lacks = len(place.epochs) == self._disk.epochs and not place.has_weights
        if len(place.epochs) >= order.epoch and not lacks and place.attempt < order.attempt:
            known = self._known.get((order.trial, order.fold), 0)
            if known >= order.epoch:
                raise Broken(f"trial {order.trial} fold {order.fold} is to be trained twice to epoch {order.epoch}")

    def check_start(self, run: StudyRun) -> None:
        """Check that a launch knows everything that is on the disk."""
        for (trial, fold), place in self._disk.folds.items():
            if trial in run.state.trials and run.state.trials[trial].epochs_of(fold) != len(place.epochs):
                raise Broken(
                    f"trial {trial} fold {fold}: {len(place.epochs)} epochs on disk are not those of the record"
                )
        self.check(run)

    def check(self, run: StudyRun) -> None:
        """Check what holds after every step."""
        for trial in run.state.trials.values():
            for fold, epochs in trial.progress.items():
                if epochs < self._known.get((trial.number, fold), 0):
                    raise Broken(f"trial {trial.number} fold {fold} has lost epochs")
                if epochs > len(self._disk.folds[trial.number, fold].epochs):
                    raise Broken(f"trial {trial.number} fold {fold}: the record has more epochs than the disk")
                self._known[trial.number, fold] = epochs
            if trial.failure is not None and trial.number not in self._fatal:
                raise Broken(f"trial {trial.number} failed ({trial.failure}) of nothing")
        limit = self._settings.space.search.fold_epochs
        if limit is not None and not self._budget_changed and run.state.fold_epochs > limit:
            raise Broken(f"{run.state.fold_epochs} fold-epochs of a budget of {limit}")

    def check_end(self, run: StudyRun, faults: Faults, now: float) -> None:
        """Check what holds when a launch has ended."""
        again = StudyState(read_record(run.log.path))
        for number, trial in run.state.trials.items():
            other = again.trials[number]
            if (other.progress, other.failure, other.scores) != (trial.progress, trial.failure, trial.scores):
                raise Broken(f"trial {number}: the record read again says something else")
        if again.climbing():
            raise Broken("climbs are open in the record of a search that has ended")
        self._check_time(run, faults)
        if run.finished is not None and not run.stopping and not self._fatal:
            self._check_exportable(run, faults)

    def _check_time(self, run: StudyRun, faults: Faults) -> None:
        seconds = self._settings.space.search.time_budget
        if seconds is not None and not faults.log and run.elapsed() > seconds + LONGEST:
            raise Broken(f"{run.elapsed():.1f} seconds of a budget of {seconds:g}")

    def _check_exportable(self, run: StudyRun, faults: Faults) -> None:
        """Check that a budget that affords a fold has left one with its weights, and no budget at all the whole recipe."""
        search, epochs = self._settings.space.search, self._settings.epochs
        whole = [place for place in self._disk.folds.values() if len(place.epochs) == epochs and place.has_weights]
        in_time = search.time_budget is None or (search.time_budget >= LONGEST * epochs and not faults.log)
        if in_time and not whole:
            raise Broken("nothing can be exported")
        unlimited = search.time_budget is None and search.fold_epochs is None
        if unlimited and not run.state.trials[0].has_trained(run.strategy.rungs.top):
            raise Broken("the recipe has not trained all its folds, although nothing limits it")
