"""The schedulers' Ray adapter: one Tune trial is one climb, and Tune's searcher interface asks for the next."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from ray.exceptions import RayActorError
from ray.tune import Callback, CheckpointConfig, FailureConfig, RunConfig, Stopper, Trainable, TuneConfig, Tuner
from ray.tune.experiment import Trial
from ray.tune.search import Searcher

from schedulers.ray.private_names import actors_kept, place_of
from schedulers.shared_slots import SharedSlots
from storage.outage import is_outage
from studies.trials.climb_order import ClimbOrder
from studies.trials.failures import LOST, Failure

# Tune's own files are no part of a study: written rarely, read never.
_QUIET = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": str(10**9),
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a climb that failed has no score
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
}


class ClimbInFlight(NamedTuple):
    """A climb that a Tune trial executes, and the place of its study."""

    study: int
    order: ClimbOrder


class ClimbSearcher(Searcher):
    """Answers Tune's question for the next configuration with the next climb.

    `common` goes into every climb's config beside its order, by the place of its study.
    """

    def __init__(self, shared: SharedSlots, common: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(metric="score", mode="max")
        self._shared, self._common = shared, common
        self._in_flight: dict[str, ClimbInFlight] = {}
        self._to_end: set[str] = set()  # Tune trials whose process is not to have another climb

    def __getstate__(self) -> dict[str, Any]:
        """Leave everything out of the pickle that Tune makes of its searcher: the record is the state."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the next climb, None to wait, FINISHED once nothing is in flight and nothing is left."""
        found = self._shared.next_climb()
        if found is None:
            return Searcher.FINISHED if self._shared.finished and not self._in_flight else None
        climb = self._in_flight[trial_id] = ClimbInFlight(*found)
        return {**self._common[climb.study], **climb.order.as_values()}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Record a fold-epoch that is not the climb's last."""
        self._guarded(trial_id, result)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Record a climb's last fold-epoch and how it ended; an error is a lost process."""
        self._guarded(trial_id, result)
        climb = self._in_flight.pop(trial_id, None)
        if climb is None:
            return
        self._shared.climb_has_ended(*climb)
        if self.is_broken(climb.study):
            return
        failure = LOST if error else None
        if result and result.get("failure"):
            failure = Failure(result["failure"], result["reason"])
        with self._shared.guarded(climb.study):  # Tune swallows what is raised here
            run = self._shared.runs[climb.study]
            run.end_climb(climb.order, failure)
            if failure is not None and run.process_must_end(climb.order):
                self._to_end.add(trial_id)

    def is_broken(self, study: int) -> bool:
        """Tell whether an error has ended the driver's side of a study."""
        return study in self._shared.broken

    def keeps_process_of(self, trial_id: str) -> bool:
        """Tell whether the process of a Tune trial that has ended may have another climb."""
        return trial_id not in self._to_end

    def _guarded(self, trial_id: str, result: dict[str, Any] | None) -> None:
        climb = self._in_flight.get(trial_id)
        if (
            climb is None
            or not result
            or result.get("failure")
            or "epochs" not in result
            or self.is_broken(climb.study)
        ):
            return
        phases = {name.partition("/")[2]: spent for name, spent in result.items() if name.startswith("phases/")}
        with self._shared.guarded(climb.study):
            self._shared.runs[climb.study].take_epoch(
                climb.order, {**result, "phases": phases}
            )  # Tune has flattened it

    def note_place(self, trial: Trial) -> None:
        """Record which process takes a climb; one that is gone already is reported as lost by Tune."""
        climb = self._in_flight.get(trial.trial_id)
        if climb is None or self.is_broken(climb.study):
            return
        with self._shared.guarded(climb.study), suppress(RayActorError):
            self._shared.runs[climb.study].take_place(climb.order, *place_of(trial))

    def ends_here(self, trial_id: str, epochs: int) -> bool:
        """Tell whether the climb of a Tune trial whose fold has so many epochs ends."""
        climb = self._in_flight.get(trial_id)
        if climb is None or self.is_broken(climb.study):
            return True
        with self._shared.guarded(climb.study):
            return self._shared.runs[climb.study].ends_here(climb.order, epochs)
        return True


class StopAtReport(Stopper):
    """Ends every climb at its next report once its study is stopping or its time is spent."""

    def __init__(self, searcher: ClimbSearcher) -> None:
        self._searcher: ClimbSearcher | None = searcher

    def __getstate__(self) -> dict[str, Any]:
        return {"_searcher": None}

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Tell whether this climb ends here."""
        if self._searcher is None:
            return False
        return self._searcher.ends_here(trial_id, result.get("epochs", 0))  # Tune asks before it hands the result over

    def stop_all(self) -> bool:
        """Never: climbs in flight finish their fold-epoch."""
        return False


class NotePlaces(Callback):
    """Records which process takes a climb."""

    def __init__(self, searcher: ClimbSearcher) -> None:
        self._searcher: ClimbSearcher | None = searcher

    def __getstate__(self) -> dict[str, Any]:
        return {"_searcher": None}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Record it; a process that is gone already is reported as lost by Tune."""
        if self._searcher is not None:
            self._searcher.note_place(trial)


class ForgetEnded(Callback):
    """Lets go of the statistics of every metric that Tune keeps of every trial for ever: 24 KB a climb."""

    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """Clear the statistics; what was reported stands in the record."""
        trial.run_metadata.metric_analysis, trial.run_metadata.metric_n_steps = {}, {}

    on_trial_error = on_trial_complete


def run_climbs(
    trainable: type[Trainable], shared: SharedSlots, common: Sequence[Mapping[str, Any]], ray_folder: Path
) -> None:
    """Run the climbs of studies until all are finished or stopped.

    `common` goes into every climb's config beside the order, by study; `ray_folder` may be deleted afterwards.

    An outage of storage that lasts pauses them: whatever was recorded before is whole, and the next launch closes what is open.

    Raises:
        OSError: the record could not be written.
    """
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    searcher = ClimbSearcher(shared, common)
    tuner = Tuner(
        trainable,
        tune_config=TuneConfig(
            search_alg=searcher,
            num_samples=-1,
            reuse_actors=True,
            max_concurrent_trials=shared.slots,
            trial_dirname_creator=lambda trial: f"climb_{trial.trial_id}",
        ),
        run_config=RunConfig(
            name=ray_folder.name,
            storage_path=str(ray_folder.parent),
            verbose=0,
            callbacks=[NotePlaces(searcher), ForgetEnded()],
            stop=StopAtReport(searcher),
            failure_config=FailureConfig(max_failures=0),
            checkpoint_config=CheckpointConfig(checkpoint_at_end=False, checkpoint_frequency=0),
        ),
    )
    with actors_kept(searcher.keeps_process_of):
        tuner.fit()
    shared.close()
    for place, error in shared.broken.items():
        if not is_outage(error):
            raise error
        shared.runs[place].pause(f"storage is out ({error})")
