"""MLflow: an experiment a study, a run a trial. Where to is MLflow's own setting, MLFLOW_TRACKING_URI."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from analysis.tracking.tracker import End, Picture, Run, Tracker
from studies.study_folder import StudyFolder

_TAG = "foldrace.trial"  # by which a run is found again
_STATUS = {"finished": "FINISHED", "failed": "FAILED", "out": "KILLED"}
_METRICS, _LONGEST = 1000, 500  # what MLflow takes at once, and the characters of a parameter


class MLflow(Tracker):
    """Writes through MLflow's client, as a server, a database or a folder of its own."""

    def __init__(self, folder: StudyFolder, metric: str) -> None:
        super().__init__(folder, metric)
        self._client = MlflowClient()
        self._runs: dict[int, str] = {}
        self._experiment: str | None = None

    @property
    def destination(self) -> str:
        return str(mlflow.get_tracking_uri())

    def begin(self, run: Run) -> bool:
        """Find the trial's run, or make it; its parameters may lack where MLflow did not answer the last time."""
        found = self._found(run)
        if found is None:
            tags = {_TAG: _quoted(run), "foldrace.study": run.study, "foldrace.from": run.origin}
            self._runs[run.trial] = self._client.create_run(self._experiment, tags=tags, run_name=run.name).info.run_id
        else:
            self._runs[run.trial] = found.info.run_id
            self._client.update_run(found.info.run_id, status="RUNNING")
        params = [Param(name, str(value)[:_LONGEST]) for name, value in run.parameters.items()]
        self._client.log_batch(self._runs[run.trial], params=params)
        return found is not None

    def forget(self, run: Run) -> None:
        """Put a run that has scores into MLflow's bin."""
        found = self._found(run)
        if found is not None and found.data.metrics:
            self._client.delete_run(found.info.run_id)

    def _found(self, run: Run) -> Any:
        self._experiment = self._experiment or self._experiment_of(run.study)
        wanted = f"tags.`{_TAG}` = '{_quoted(run)}'"
        return next(iter(self._client.search_runs([self._experiment], wanted, max_results=1)), None)

    def log(self, run: Run, steps: Sequence[tuple[int, float, Mapping[str, float]]]) -> None:
        """Send scalars, as many at once as MLflow takes."""
        metrics = [
            Metric(name, value, int(at * 1000), step) for step, at, values in steps for name, value in values.items()
        ]
        for start in range(0, len(metrics), _METRICS):
            self._client.log_batch(self._runs[run.trial], metrics=metrics[start : start + _METRICS])

    def picture(self, run: Run, name: str, picture: Picture, step: int) -> None:
        """Keep a picture among the run's artifacts."""
        self._client.log_image(self._runs[run.trial], picture, artifact_file=f"{name}.png")

    def end(self, run: Run, how: End, final: Mapping[str, float]) -> None:
        """Send the final metrics and the status."""
        number = self._runs[run.trial]
        at, step = int(time.time() * 1000), int(final["final/fold_epochs"])
        metrics = [Metric(name, value, at, step) for name, value in final.items()]
        self._client.log_batch(number, metrics=metrics, tags=[RunTag("foldrace.end", how)])
        self._client.set_terminated(number, _STATUS[how])

    def _experiment_of(self, study: str) -> str:
        known = self._client.get_experiment_by_name(study)
        return str(known.experiment_id if known else self._client.create_experiment(study))


def _quoted(run: Run) -> str:
    """Return a trial's key for a filter, which has no escapes: a study's name may hold anything."""
    return f"{run.key.rpartition('-')[2]}/{run.trial}"
