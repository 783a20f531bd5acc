"""The record loses nothing that was appended, and a crash inside an append costs that line alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from studies.metrics import METRICS
from studies.record.events import (
    ClimbEnded,
    ClimbStarted,
    EpochScored,
    Event,
    Launched,
    MetricFacts,
    RungReached,
    TrialAdded,
    TrialFailed,
)
from studies.record.record import Record, RecordError, read_record
from studies.record.record_tail import RecordTail
from studies.state.rungs import Rung
from studies.state.study_state import StudyState
from studies.study_lock import StudyLock
from tests.toys import ROOT

EVENTS: list[Event] = [
    Launched(time=1, elapsed=0, settings={"trials": 3}),
    TrialAdded(time=2, elapsed=1, trial=0, configuration={"learning_rate": 0.1, "optimizer": "sgd"}, origin="recipe"),
    ClimbStarted(time=3, elapsed=2, trial=0, fold=0, epoch=2, attempt=1),
    EpochScored(time=4, elapsed=3, trial=0, fold=0, epoch=0, score=0.5, seconds=1.5),
    EpochScored(time=5, elapsed=4, trial=0, fold=0, epoch=1, score=0.6, seconds=1.5),
    RungReached(time=5, elapsed=4, trial=0, folds=1, epoch=2, score=0.6),
    ClimbEnded(time=6, elapsed=5, trial=0, fold=0, attempt=1, reason="rung"),
    TrialAdded(time=7, elapsed=6, trial=1, configuration={"learning_rate": 9.0}, origin="tpe"),
    TrialFailed(time=8, elapsed=7, trial=1, failure="not_finite", reason="the loss is nan — über"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with Record(tmp_path / "record.jsonl") as record:
        for event in EVENTS:
            record.append(event)
    return tmp_path / "record.jsonl"


def test_what_was_appended_is_read_again(path: Path) -> None:
    assert list(read_record(path)) == EVENTS


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_facts_of_every_metric_are_read_again(name: str, tmp_path: Path) -> None:
    facts = MetricFacts.of(METRICS[name])
    with Record(tmp_path / "record.jsonl") as record:
        record.append(Launched(time=1, elapsed=0, settings={}, metric=facts))
    (launched,) = read_record(tmp_path / "record.jsonl")
    assert isinstance(launched, Launched)
    assert launched.metric == facts


def test_a_follower_is_told_every_event_once_wherever_the_writer_stands(path: Path) -> None:
    whole = path.read_bytes()
    tail = RecordTail(path)
    told = []
    for end in range(len(whole) + 1):
        path.write_bytes(whole[:end])
        new = tail.new_events()
        assert new is not None
        told += new
    assert (told, tail.damaged) == (EVENTS, [])


def test_a_record_begun_anew_is_another_one_even_in_the_same_inode_and_with_the_same_first_lines(path: Path) -> None:
    tail = RecordTail(path)
    tail.new_events()
    inode, size = path.stat().st_ino, path.stat().st_size
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:5], *lines[6:] * 9]))
    assert (path.stat().st_ino, path.stat().st_size > size) == (inode, True)
    assert tail.new_events() is None
    assert RecordTail(path).new_events()


def test_a_line_torn_at_any_byte_is_cut_off_and_nothing_else(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = path.read_bytes()
    last_line = whole[: whole[:-1].rfind(b"\n") + 1]
    for end in range(len(last_line), len(whole)):
        path.write_bytes(whole[:end])
        assert list(read_record(path)) == EVENTS[:-1], "a reader leaves the torn line alone"
        with Record(path) as record:
            assert record.events == EVENTS[:-1]
            record.append(EVENTS[-1])
        assert path.read_bytes() == whole
    assert "cut a torn last line" in caplog.text


def test_a_damaged_line_in_the_middle_names_its_number(path: Path) -> None:
    lines = path.read_bytes().split(b"\n")
    lines[3] = lines[3][:-5]
    path.write_bytes(b"\n".join(lines))
    with pytest.raises(RecordError, match="line 4 is damaged"):
        Record(path)


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_whole_lines(tmp_path: Path) -> None:
    script = f"""
import pathlib, resource, signal
from studies.record.record import Record
from tests.studies.test_record import EVENTS
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
with Record(pathlib.Path({str(tmp_path / "record.jsonl")!r})) as record:
    record.append(EVENTS[0])
    resource.setrlimit(resource.RLIMIT_FSIZE, (record.path.stat().st_size + 20, resource.RLIM_INFINITY))
    try:
        record.append(EVENTS[1])
    except OSError:
        print("refused")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    record.append(EVENTS[1])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "refused\n", done.stderr
    assert list(read_record(tmp_path / "record.jsonl")) == EVENTS[:2]


def test_a_score_that_is_no_number_cannot_be_recorded() -> None:
    with pytest.raises(ValueError, match="finite"):
        EpochScored(time=0, trial=0, fold=0, epoch=0, score=float("nan"), seconds=1)


def test_the_second_launch_of_a_study_is_refused_and_a_crash_leaves_no_lock(tmp_path: Path) -> None:
    hold = f"""
import pathlib, time, studies.study_lock
lock = studies.study_lock.StudyLock(pathlib.Path({str(tmp_path)!r}))
print("held", flush=True)
time.sleep(60)
"""
    holder = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(RecordError, match=rf"another launch \(process {holder.pid} on \S+\).*--study"):
        StudyLock(tmp_path)
    holder.kill()
    holder.wait()
    StudyLock(tmp_path).release()


def test_the_state_is_a_fold_of_the_events() -> None:
    state = StudyState(EVENTS)
    assert state.fold_epochs == 2
    assert state.trials[0].score_at(Rung(1, 2)) == 0.6
    assert state.trials[0].score_at(Rung(1, 3)) is None
    assert not state.trials[0].climbing
    assert state.trials[1].failure == "not_finite"
    assert state.elapsed == 7
    assert state.seconds_per_fold_epoch() == 1.5


def test_time_between_launches_is_not_spent() -> None:
    later = Launched(time=1000, elapsed=7, settings={})
    state = StudyState([*EVENTS, later, TrialAdded(time=1010, elapsed=17, trial=2, configuration={}, origin="tpe")])
    assert (state.elapsed, state.time.of_launch) == (17, 7)


def test_a_climb_that_never_ended_is_interrupted_once_it_is_noted() -> None:
    state = StudyState(EVENTS[:4])
    assert state.trials[0].climbing
    state.apply(ClimbEnded(time=9, trial=0, fold=0, attempt=1, reason="stopped"))
    assert state.trials[0].interrupted
