"""Two launches of one study: the second is refused, also where the kernel's lock holds nobody off."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from studies import lease
from studies.errors import RecordTakenError
from studies.lease import Holder, Lease, read_holder
from studies.record import record as record_module
from studies.record.events import Event, FieldClosed, TrialAdded
from studies.record.record import Record, RecordError, read_record
from studies.study_lock import StudyLock, is_held, running_launch
from tests.toys import ROOT
from tests.toys.search import ToyDriver, toy_space

ANOTHER = FieldClosed(time=0, reason="written by another launch")
HOLD = """
import pathlib, sys
from studies.errors import RecordError
from studies.study_lock import StudyLock
try:
    lock = StudyLock(pathlib.Path(sys.argv[1]))
    print("held", flush=True)
    sys.stdin.read()
    lock.release()
except RecordError as error:
    print(error, flush=True)
"""


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heartbeats and patience of tenths of a second."""
    monkeypatch.setattr(lease, "HEARTBEAT", 0.05)
    monkeypatch.setattr("studies.study_lock.PATIENCE", 0.3)


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


def holding(
    study: Path, processes: list[subprocess.Popen[str]], **environment: str
) -> tuple[subprocess.Popen[str], str]:
    """Start a process that takes a study's lock, and return it with what it says first."""
    processes.append(
        subprocess.Popen(
            [sys.executable, "-c", HOLD, str(study)],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    )
    assert processes[-1].stdout is not None
    return processes[-1], processes[-1].stdout.readline().strip()


def test_a_driver_whose_record_another_has_written_to_stops_with_one_line_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    first = ToyDriver(path, toy_space()).start()
    for _ in range(5):
        first.tick()
    with Record(path) as other:
        other.append(ANOTHER)
    before = path.read_bytes()
    with pytest.raises(RecordTakenError, match=r"record\.jsonl: another launch writes here, so this one stops"):
        first.finish()
    assert path.read_bytes() == before
    assert ToyDriver(path, toy_space()).start().finish().run.state.trials.keys() == set(range(12))


def test_a_record_that_was_taken_away_or_replaced_is_not_written_to(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    added = TrialAdded(time=0, trial=0, configuration={}, origin="recipe")
    for spoil in (Path.unlink, lambda file: shutil.copy(file, file.with_suffix(".new")).replace(file)):
        with Record(path) as record:
            record.append(added)
            spoil(path)
            with pytest.raises(RecordTakenError):
                record.append(ANOTHER)
        assert not path.exists() or ANOTHER not in list(read_record(path))
        path.unlink(missing_ok=True)


def test_what_another_writes_while_a_record_is_being_read_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "record.jsonl"
    first = Record(path)
    first.append(FieldClosed(time=1, reason="one"))
    parse = record_module._events_of

    def meanwhile(path: Path, content: bytes) -> Iterator[Event]:
        first.append(FieldClosed(time=2, reason="two"))
        return parse(path, content)

    monkeypatch.setattr(record_module, "_events_of", meanwhile)
    second = Record(path)
    assert len(second.events) == 1
    with pytest.raises(RecordTakenError):
        second.append(FieldClosed(time=3, reason="three"))
    assert len(list(read_record(path))) == 2


def test_two_drivers_that_open_one_record_at_once_do_not_interleave(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    one, other = ToyDriver(path, toy_space()), ToyDriver(path, toy_space())
    one.start()
    with pytest.raises(RecordTakenError):
        other.start()
    one.finish()
    assert len({event.time for event in read_record(path)}) > 1


def test_a_second_launch_is_refused_also_when_the_lock_file_was_deleted(
    tmp_path: Path, processes: list[subprocess.Popen[str]]
) -> None:
    holder, said = holding(tmp_path, processes)
    assert said == "held"
    (tmp_path / "lock").unlink()
    assert is_held(tmp_path)
    with pytest.raises(RecordError, match=rf"another launch \(process {holder.pid} on "):
        StudyLock(tmp_path)
    holder.kill()
    holder.wait()
    assert not is_held(tmp_path)
    StudyLock(tmp_path).release()
    assert not (tmp_path / "lease.json").exists()


@pytest.fixture(scope="module")
def always_locks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library under which every flock succeeds, as on some network file systems."""
    place = tmp_path_factory.mktemp("preload")
    return built(place, "int flock(int file, int operation) { return 0; }\n")


@pytest.fixture(scope="module")
def never_locks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library under which a file system knows neither flock nor links."""
    refuses = "{ errno = ENOTSUP; return -1; }"
    links = f"int link(char *a, char *b) {refuses} int linkat(int a, char *b, int c, char *d, int e) {refuses}"
    source = f"#include <errno.h>\nint flock(int file, int operation) {refuses} {links}\n"
    return built(tmp_path_factory.mktemp("preload"), source)


def built(place: Path, source: str) -> Path:
    (place / "flock.c").write_text(source)
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None:
        pytest.skip("building a library needs a C compiler")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", place / "flock.so", place / "flock.c"], check=True)
    return place / "flock.so"


def test_where_every_flock_succeeds_the_lease_refuses_the_second_and_goes_with_a_killed_holder(
    tmp_path: Path, always_locks: Path, processes: list[subprocess.Popen[str]]
) -> None:
    first, said = holding(tmp_path, processes, LD_PRELOAD=str(always_locks))
    assert said == "held"
    _, refused = holding(tmp_path, processes, LD_PRELOAD=str(always_locks))
    assert f"another launch (process {first.pid} on " in refused
    first.kill()
    first.wait()
    _, said = holding(tmp_path, processes, LD_PRELOAD=str(always_locks))
    assert said == "held", "its process is gone: nobody waits for a heartbeat"


def test_where_there_are_neither_locks_nor_links_the_lease_decides(
    tmp_path: Path, never_locks: Path, processes: list[subprocess.Popen[str]]
) -> None:
    first, said = holding(tmp_path, processes, LD_PRELOAD=str(never_locks))
    assert said == "held"
    _, refused = holding(tmp_path, processes, LD_PRELOAD=str(never_locks))
    assert f"another launch (process {first.pid} on " in refused


def test_a_lease_that_cannot_be_read_for_a_moment_is_not_taken_from_its_holder(tmp_path: Path) -> None:
    theirs = Holder.of_this_process("theirs")
    (tmp_path / "lease.json").write_text(json.dumps(asdict(theirs)))
    Lease(tmp_path / "lease.json", Holder.of_this_process("ours"))._clear(None)
    assert read_holder(tmp_path / "lease.json") == theirs


def test_of_many_that_begin_at_once_where_every_flock_succeeds_one_gets_the_study(tmp_path: Path) -> None:
    got: list[str] = []
    (tmp_path / "lease.json").write_text(json.dumps(asdict(Holder("dead", lease.this_host(), 2**22 + 1, "0"))))

    def begin(number: int) -> None:
        taken = Lease(tmp_path / "lease.json", Holder.of_this_process(f"launch{number}")).take()
        if taken is None:
            got.append(f"launch{number}")

    threads = [threading.Thread(target=begin, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 1
    assert (holder := read_holder(tmp_path / "lease.json")) is not None
    assert holder.launch == got[0]


def elsewhere(study: Path, beats: int = 0) -> Holder:
    """Put the lease of a launch on another host there."""
    holder = replace(Holder.of_this_process("far"), host="another-host 1", heartbeat=beats)
    (study / "lease.json").write_text(json.dumps(asdict(holder)))
    return holder


def test_a_lease_of_another_host_holds_as_long_as_its_heart_beats(tmp_path: Path, quick: None) -> None:
    over = threading.Event()

    def beat() -> None:
        beats = 0
        while not over.wait(0.02):
            elsewhere(tmp_path, beats := beats + 1)

    elsewhere(tmp_path)
    beating = threading.Thread(target=beat)
    beating.start()
    try:
        with pytest.raises(
            RecordError, match=r"another launch \(process \d+ on another-host\) is working on this study"
        ):
            StudyLock(tmp_path)
        assert running_launch(tmp_path) == "far"
    finally:
        over.set()
        beating.join()


def test_a_lease_of_another_host_that_stands_still_is_over_after_a_while(
    tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("studies.lease.PATIENCE", 0.3)
    elsewhere(tmp_path)
    started = time.monotonic()
    taken = Lease(tmp_path / "lease.json", Holder.of_this_process("near")).take(patience=0.3)
    assert taken is None
    assert 0.3 <= time.monotonic() - started < 5


def test_a_lease_is_renewed_and_comes_back_when_it_was_deleted(tmp_path: Path, quick: None) -> None:
    held = Lease(tmp_path / "lease.json", Holder.of_this_process("mine"))
    assert held.take() is None
    (tmp_path / "lease.json").unlink()
    deadline = time.monotonic() + 10
    while (holder := read_holder(tmp_path / "lease.json")) is None or holder.heartbeat < 2:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert holder.launch == "mine"
    held.release()
    assert read_holder(tmp_path / "lease.json") is None
