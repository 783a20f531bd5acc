"""TensorBoard: one folder a trial under the study's, with scalars, HParams and pictures."""

import shutil
import time
from collections.abc import Mapping, Sequence

from tensorboardX import SummaryWriter
from tensorboardX.proto.api_pb2 import Status
from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData, SessionEndInfo
from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboardX.summary import hparams

from analysis.tracking.tracker import End, Picture, Run, Tracker
from studies.study_folder import StudyFolder


class TensorBoard(Tracker):
    """Writes `results/<study>/tensorboard/trial_<number>/`; look with `tensorboard --logdir results/<study>/tensorboard`."""

    _OPEN = 64  # writers at once

    def __init__(self, folder: StudyFolder, metric: str) -> None:
        super().__init__(folder, metric)
        self._writers: dict[int, SummaryWriter] = {}  # the one that was used last comes last

    @property
    def destination(self) -> str:
        return "the folder tensorboard of the study"

    def begin(self, run: Run) -> bool:
        """Open a trial's folder; HParams are written at its beginning, so that a trial that runs is in the table."""
        there = (self.folder.tensorboard / run.name).is_dir()
        if not there:
            known = {name: _plain(value) for name, value in run.parameters.items()}
            # no experiment: TensorBoard then makes its columns of all runs, and conditional knobs differ between them
            self._writer(run).file_writer.add_summary(hparams({**known, "from": run.origin}, {})[1])
        return there

    def forget(self, run: Run) -> None:
        """Delete the trial's folder: a step that is written twice would be shown twice."""
        if writer := self._writers.pop(run.trial, None):
            writer.close()
        shutil.rmtree(self.folder.tensorboard / run.name, ignore_errors=True)

    def log(self, run: Run, steps: Sequence[tuple[int, float, Mapping[str, float]]]) -> None:
        """Write scalars under the time at which they were measured."""
        for step, at, values in steps:
            for name, value in values.items():
                self._writer(run).add_scalar(name, value, step, walltime=at)
        self._writer(run).flush()

    def picture(self, run: Run, name: str, picture: Picture, step: int) -> None:
        """Write a picture."""
        self._writer(run).add_image(name, picture, step, dataformats="HWC")

    def end(self, run: Run, how: End, final: Mapping[str, float]) -> None:
        """Write the final metrics and that the session has ended."""
        writer = self._writer(run)
        for name, value in final.items():
            writer.add_scalar(name, value, int(final["final/fold_epochs"]))
        writer.file_writer.add_summary(_session_end(how))
        self._writers.pop(run.trial).close()

    def close(self) -> None:
        """Close what is open."""
        for writer in self._writers.values():
            writer.close()
        self._writers.clear()

    def _writer(self, run: Run) -> SummaryWriter:
        if run.trial not in self._writers:
            while len(self._writers) >= self._OPEN:
                self._writers.pop(next(iter(self._writers))).close()
            # with a suffix: two files of the same second would have the same name, and the second erase the first
            place, suffix = self.folder.tensorboard / run.name, f".{time.time_ns()}"
            self._writers[run.trial] = SummaryWriter(str(place), filename_suffix=suffix)
        self._writers[run.trial] = self._writers.pop(run.trial)
        return self._writers[run.trial]


def _plain(value: object) -> bool | int | float | str:
    """Return a value as HParams takes it."""
    return value if isinstance(value, bool | int | float | str) else str(value)


def _session_end(how: End) -> Summary:
    """Return what tells HParams how a run ended; tensorboardX itself knows of successes alone."""
    status = Status.STATUS_FAILURE if how == "failed" else Status.STATUS_SUCCESS
    content = HParamsPluginData(session_end_info=SessionEndInfo(status=status), version=0).SerializeToString()
    plugin = SummaryMetadata.PluginData(plugin_name="hparams", content=content)
    return Summary(
        value=[Summary.Value(tag="_hparams_/session_end_info", metadata=SummaryMetadata(plugin_data=plugin))]
    )
