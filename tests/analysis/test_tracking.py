"""Tracking: one run a trial in TensorBoard, MLflow and W&B, sent once, and gone on with."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import mlflow
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from analysis.figures.confusion import confusion_picture
from analysis.page.serving.sockets import listening_socket, port_of
from analysis.tracking.complaints import complain, complaints_in
from analysis.tracking.feed import Feed
from analysis.tracking.sent import sending, without_credentials
from analysis.tracking.tracker import TRACKERS, End, Picture, Run, Tracker, TrackingError, check_installed
from datasets.preparation import PreparedData
from launch.beside.process import BackgroundProcess
from launch.beside.tracking import Tracking
from studies.record.events import EpochScored, FoldRewound, TrialFailed
from studies.record.record import Record, read_record
from studies.state.study_state import StudyState
from studies.study import Study
from studies.study_folder import StudyFolder
from tests.toys import ROOT
from tests.toys.searched import trained_study
from tests.toys.wandb_files import history


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, faces: PreparedData) -> Path:
    """A study, trained once for all tests."""
    return trained_study(tmp_path_factory.mktemp("tracked"), faces)


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> StudyFolder:
    return StudyFolder(Path(shutil.copytree(trained, tmp_path / "나이 'age'")))


def track(folder: StudyFolder, *arguments: str, code: int = 0, **environment: str) -> str:
    command = [sys.executable, "-m", "analysis.track", str(folder.path), *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.stdout + done.stderr


def told(folder: StudyFolder, tool: str) -> None:
    tracker = TRACKERS[tool](folder, "macro_f1")
    Feed(Study.existing(folder), tool, tracker).rest()
    tracker.close()


def cut_in_half(folder: StudyFolder) -> None:
    """Leave of a record what stood in it before an epoch in its middle."""
    lines = folder.record.read_bytes().split(b"\n")
    half = next(place for place, line in enumerate(lines) if place > len(lines) // 2 and b"epoch_scored" in line)
    folder.record.write_bytes(b"\n".join(lines[:half]) + b"\n")


def epochs_of(folder: StudyFolder) -> dict[int, list[float]]:
    state = StudyState(read_record(folder.record))
    return {trial.number: [epoch.score for epoch in trial.epochs] for trial in state.trials.values()}


def scalars(folder: StudyFolder, trial: int) -> EventAccumulator:
    read = EventAccumulator(str(folder.tensorboard / f"trial_{trial:04d}"), size_guidance={"images": 0, "scalars": 0})
    return read.Reload()


def test_tensorboard_has_a_run_a_trial_with_scalars_hparams_and_pictures(folder: StudyFolder) -> None:
    told(folder, "tensorboard")
    for trial, scores in epochs_of(folder).items():
        read = scalars(folder, trial)
        assert [event.step for event in read.Scalars("macro_f1")] == list(range(1, len(scores) + 1))
        assert [event.value for event in read.Scalars("macro_f1")] == pytest.approx(scores)
        assert 0 <= read.Scalars("final/macro_f1")[-1].value <= 1
        assert "training_batch" in read.Tags()["images"]
        assert "_hparams_/session_start_info" in read.summary_metadata
    finished = scalars(folder, 0)
    assert [f"confusion_fold_{fold}" in finished.Tags()["images"] for fold in (1, 2)] == [True, True]


def test_what_was_sent_is_not_sent_again_and_a_trial_goes_on_in_its_run(folder: StudyFolder, trained: Path) -> None:
    cut_in_half(folder)
    told(folder, "tensorboard")
    shutil.copy(trained / "record.jsonl", folder.record)
    told(folder, "tensorboard")
    told(folder, "tensorboard")
    for trial, scores in epochs_of(folder).items():
        assert [event.value for event in scalars(folder, trial).Scalars("macro_f1")] == pytest.approx(scores)


class Recorded(Tracker):
    """A tool that remembers what it was told, and fails when it is asked for one picture the first time."""

    destination = "here"

    def __init__(self, folder: StudyFolder, fails_at: str = "") -> None:
        super().__init__(folder, "macro_f1")
        self.told: list[tuple[int, str]] = []
        self._fails_at = fails_at

    def begin(self, run: Run) -> bool:
        return True

    def log(self, run: Run, steps: Any) -> None:
        self.told += [(run.trial, f"step {step}") for step, _, _ in steps]

    def picture(self, run: Run, name: str, picture: Picture, step: int) -> None:
        if name == self._fails_at:
            self._fails_at = ""
            raise ConnectionError("the server is gone")
        self.told.append((run.trial, name))

    def end(self, run: Run, how: End, final: Mapping[str, float]) -> None:
        self.told.append((run.trial, how))


def test_a_tool_that_fails_once_gets_everything_and_each_thing_once(folder: StudyFolder) -> None:
    tool = Recorded(folder, "confusion_fold_2")
    with pytest.raises(ConnectionError):
        Feed(Study.existing(folder), "recorded", tool).tell()
    Feed(Study.existing(folder), "recorded", tool).rest()  # another process: it knows what was kept
    wanted = Recorded(folder)
    (folder.tracking / "recorded.json").unlink()
    Feed(Study.existing(folder), "recorded", wanted).rest()
    assert sorted(tool.told) == sorted(wanted.told)
    assert (0, "confusion_fold_2") in tool.told
    assert len(set(tool.told)) == len(tool.told)


def test_a_trial_that_fails_after_some_epochs_ends_as_failed_and_stays_so(folder: StudyFolder) -> None:
    with Record(folder.record) as record:
        record.append(TrialFailed(time=1, trial=1, failure="not_finite", reason="nan"))
    tool = Recorded(folder)
    Feed(Study.existing(folder), "recorded", tool).rest()
    Feed(Study.existing(folder), "recorded", tool).rest()
    ends = {trial: what for trial, what in tool.told if what in ("finished", "failed", "out")}
    assert (ends[0], ends[1]) == ("finished", "failed")
    assert sum(what == "failed" for _, what in tool.told) == 1
    told(folder, "tensorboard")
    status = scalars(folder, 1).summary_metadata["_hparams_/session_end_info"].plugin_data.content
    assert status != scalars(folder, 0).summary_metadata["_hparams_/session_end_info"].plugin_data.content


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("https://ann:secret@host:5000/path", "https://host:5000/path"),
        ("postgresql://ann:secret@host/runs?password=secret&a=b", "postgresql://host/runs"),
        ("https://host?sig=secret", "https://host"),
        ("https://host/x;token=secret#auth=secret", "https://host/x"),
        ("postgresql://u:p@ss@h/db", "postgresql://h/db"),
        ("ann:secret@h:5000/x", "h:5000/x"),
        ("file:///home/ann/mlruns", "file:///home/ann/mlruns"),
    ],
)
def test_no_password_of_an_address_is_kept_or_printed(address: str, kept: str) -> None:
    assert without_credentials(address) == kept


def test_one_process_at_a_time_sends_a_study_to_a_tool(folder: StudyFolder) -> None:
    with sending(folder, "tensorboard"):
        assert "is being sent to tensorboard" in track(folder, "--to", "tensorboard", code=2)
    assert "fold-epochs were new" in track(folder, "--to", "tensorboard")


def test_a_run_that_was_taken_away_is_sent_again(folder: StudyFolder) -> None:
    told(folder, "tensorboard")
    shutil.rmtree(folder.tensorboard / "trial_0001")
    (folder.tracking / "tensorboard.json").write_text("{torn")
    told(folder, "tensorboard")
    check_told_once(folder)


def test_everything_that_is_sent_again_is_there_once(folder: StudyFolder) -> None:
    told(folder, "tensorboard")
    with closing(TRACKERS["tensorboard"](folder, "macro_f1")) as tracker:
        Feed(Study.existing(folder), "tensorboard", tracker, again=True).rest()
    check_told_once(folder)


def test_a_trial_that_was_set_back_is_sent_with_what_it_scored_since(folder: StudyFolder) -> None:
    told(folder, "tensorboard")
    with Record(folder.record) as record:
        record.append(FoldRewound(time=9e9, trial=1, fold=0, epochs=1))
        record.append(EpochScored(time=9e9, trial=1, fold=0, epoch=1, score=0.01, seconds=1))
    told(folder, "tensorboard")
    assert epochs_of(folder)[1][1:] == [0.01]
    check_told_once(folder)
    told(folder, "tensorboard")
    check_told_once(folder)


def test_a_record_in_the_place_of_another_is_sent_from_its_beginning(folder: StudyFolder, tmp_path: Path) -> None:
    sent = FromTheBeginning(folder, "macro_f1")
    feed = Feed(Study.existing(folder), "mine", sent)
    feed.tell()
    lines = folder.record.read_bytes().splitlines(keepends=True)
    folder.record.unlink()
    folder.record.write_bytes(lines[0].replace(b'"time":', b'"time":1') + b"".join(lines[1:]))
    feed.tell()
    first, again = sent.keys
    assert first != again


class FromTheBeginning(Tracker):
    """Notes under which keys it is told of trial 0."""

    destination = "a list"

    def __init__(self, folder: StudyFolder, metric: str) -> None:
        super().__init__(folder, metric)
        self.keys: list[str] = []

    def begin(self, run: Run) -> bool:
        if run.trial == 0:
            self.keys.append(run.key)
        return False

    def log(self, run: Run, steps: object) -> None: ...
    def picture(self, run: Run, name: str, picture: Picture, step: int) -> None: ...
    def end(self, run: Run, how: End, final: Mapping[str, float]) -> None: ...


def check_told_once(folder: StudyFolder) -> None:
    """Check that TensorBoard has every fold-epoch of every trial, and no step twice."""
    for trial, scores in epochs_of(folder).items():
        written = scalars(folder, trial)
        told_of = [(event.step, event.value) for event in written.Scalars("macro_f1")]
        assert told_of == [(step, pytest.approx(score)) for step, score in enumerate(scores, 1)]
        assert len(written.Images("training_batch")) == 1


@pytest.mark.slow
def test_a_study_whose_trial_folders_have_gone_is_sent_without_their_pictures(folder: StudyFolder) -> None:
    shutil.rmtree(folder.trials)
    assert "no confusion matrix of fold 1" in track(folder, "--to", "tensorboard")
    assert len(scalars(folder, 0).Scalars("macro_f1")) == len(epochs_of(folder)[0])


def test_an_unknown_tool_and_one_that_is_not_installed_are_refused(
    folder: StudyFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "did you mean mlflow" in track(folder, "--to", "mlflo", code=2)
    monkeypatch.setattr("analysis.tracking.tracker.find_spec", lambda package: None)
    with pytest.raises(TrackingError, match="wandb: its package is not installed; pip install wandb"):
        check_installed("wandb")


def test_a_confusion_matrix_of_many_classes_stays_small() -> None:
    classes = [f"class {number}" for number in range(300)]
    picture = confusion_picture(np.arange(300), np.eye(300, dtype=np.float32), classes)
    assert max(picture.shape) < 2000


@pytest.mark.slow
def test_a_tool_that_hangs_does_not_cost_another_its_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    tracking = Tracking(["slow", "good"], lambda *lines: said.extend(lines))
    hangs, ends = "import time; time.sleep(60)", "import sys, time; sys.stdin.read(); time.sleep(2); print('sent')"
    processes = {
        "slow": BackgroundProcess("timeit", "-n1", "-r1", hangs),
        "good": BackgroundProcess("timeit", "-n1", "-r1", ends),
    }
    monkeypatch.setattr(tracking, "_processes", processes)
    tracking.end(patience=6)
    assert [line.partition(":")[0] for line in said[1:]] == ["slow"]
    assert "was still sending" in said[1]


def test_only_complaints_are_said_of_what_a_tool_prints(capsys: pytest.CaptureFixture[str]) -> None:
    complain("ConnectionError: nobody answers; it is tried again")
    said = f"2026 INFO mlflow: Updating database tables\n{capsys.readouterr().err}"
    assert complaints_in(said) == ["ConnectionError: nobody answers; it is tried again"]


def test_a_confusion_matrix_counts_every_image_and_numbers_classes_that_it_cannot_letter() -> None:
    picture = confusion_picture(np.array([0, 1, 1]), np.eye(2, dtype=np.float32)[[0, 0, 1]], ["<b>", "마스크"])
    assert picture.ndim == 3
    assert (picture == [8, 81, 156]).all(axis=2).sum() > 2000, "the first class was always right: a full cell"


@pytest.mark.slow
def test_wandb_offline_holds_every_step_of_every_trial_over_two_searches(folder: StudyFolder, trained: Path) -> None:
    cut_in_half(folder)
    assert "offline" in track(folder, "--to", "wandb", WANDB_MODE="offline")
    shutil.copy(trained / "record.jsonl", folder.record)
    assert "0 fold-epochs were new" not in track(folder, "--to", "wandb", WANDB_MODE="offline")
    assert "0 fold-epochs were new" in track(folder, "--to", "wandb", WANDB_MODE="offline")
    for trial, scores in epochs_of(folder).items():
        places = sorted((folder.tracking / "wandb").glob(f"offline-run-*-{trial}"))
        logged = [line for place in places for line in history(place)]
        steps = {line["_step"]: line["macro_f1"] for line in logged if "macro_f1" in line}
        assert [steps[step] for step in range(1, len(scores) + 1)] == pytest.approx(scores)
        assert len({place.name.partition("-")[2].partition("-")[2].partition("-")[2] for place in places}) == 1, (
            "one run"
        )
        assert any("training_batch.height" in line for line in logged)


@pytest.mark.slow
def test_an_mlflow_server_holds_a_run_a_trial_with_parameters_curves_and_pictures(
    folder: StudyFolder, tmp_path: Path
) -> None:
    with listening_socket(0) as found:
        port = port_of(found)
    place = f"http://127.0.0.1:{port}"
    assert "mlflow: " in track(
        folder, "--to", "mlflow", code=1, MLFLOW_TRACKING_URI=place, MLFLOW_HTTP_REQUEST_MAX_RETRIES="0"
    )
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    places = [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/mlflow.db",
        "--artifacts-destination",
        str(tmp_path / "artifacts"),
    ]
    server = subprocess.Popen([*command, *places], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answers(f"{place}/health")
        track(folder, "--to", "mlflow", MLFLOW_TRACKING_URI=place)
        assert "0 fold-epochs were new" in track(folder, "--to", "mlflow", MLFLOW_TRACKING_URI=place)
        assert "0 fold-epochs" not in track(folder, "--to", "mlflow", "--again", MLFLOW_TRACKING_URI=place)
        client = mlflow.MlflowClient(place)
        experiment = client.get_experiment_by_name(folder.name)
        runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
        assert len(runs) == len(epochs_of(folder)), "sent again, they are the same runs"
        for trial, scores in epochs_of(folder).items():
            run = runs[f"trial_{trial:04d}"]
            curve = {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, "macro_f1")}
            assert [curve[step] for step in range(1, len(scores) + 1)] == pytest.approx(scores)
            assert "learning_rate" in run.data.params
        pictures = {file.path for file in client.list_artifacts(runs["trial_0000"].info.run_id)}
        assert pictures == {"training_batch.png", "confusion_fold_1.png", "confusion_fold_2.png"}
        assert {run.info.status for run in runs.values()} == {"FINISHED", "KILLED"}
    finally:
        server.terminate()
        server.wait(timeout=30)


def answers(address: str, within: float = 180) -> None:
    until = time.monotonic() + within
    while time.monotonic() < until:
        try:
            urlopen(address, timeout=2)
        except (URLError, OSError):
            time.sleep(0.5)
        else:
            return
    raise AssertionError(f"{address} does not answer")
