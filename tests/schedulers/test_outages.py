"""An outage of storage is no failure of a trial: it is waited for, and nothing is lost."""

import errno
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from schedulers.study_run import UNSAVED
from storage.outage import StorageOutage, is_outage, of_storage, outlast
from studies.errors import RecordError
from studies.record.record import Record, RecordTakenError, read_record
from studies.record.requests import Request, StopTrial, waiting_requests, write_request
from studies.trials.climb_order import ClimbOrder
from studies.trials.failures import Failure
from tests.toys.search import ToyDriver, toy_space
from trainables.climber import Climber
from trainables.config import TrainConfig
from trainables.training.devices import Resources

FSYNC = os.fsync
KINDS = ("EDQUOT", "EIO", "EROFS", "ESTALE", "EFBIG", "EMFILE", "ENOLCK", "ENOSPC")


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], None]]:
    """Return what has the next syncs fail with an error: the disk takes nothing meanwhile."""
    left = [0, 0]

    def fsync(handle: int) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise OSError(left[1], os.strerror(left[1]))
        FSYNC(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr("storage.outage._FIRST", 0.01)
    monkeypatch.setattr("storage.outage._LOOK", 0.01)

    def begin(times: int, number: int) -> None:
        left[:] = [times, number]

    return begin


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_outlasts_an_outage_whatever_it_is_called(
    kind: str, outage: Callable[[int, int], None], tmp_path: Path
) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    for _ in range(6):
        driver.tick()
    outage(4, getattr(errno, kind))
    driver.finish()
    assert len(driver.run.state.trials) == 12
    assert not any(trial.failure for trial in driver.run.state.trials.values())
    assert driver.run.paused is None
    assert list(read_record(tmp_path / "record")) == driver.record.events, "no line is there twice, none is lost"


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_that_cannot_be_saved_rests_and_goes_on_later(
    kind: str, outage: Callable[[int, int], None], study: Path, tiny: TrainConfig
) -> None:
    climber = Climber(study, ClimbOrder(0, 0, 2, 1, tiny.model_dump()), Resources())
    assert climber.step()["epochs"] == 1
    outage(100, getattr(errno, kind))
    result = climber.step()
    assert result["failure"] == ("disk_full" if kind == "ENOSPC" else "outage")
    outage(0, 0)
    again = Climber(study, ClimbOrder(0, 0, 2, 2, tiny.model_dump()), Resources())
    assert again.step()["epochs"] == 2
    assert not list(study.rglob("*.torn"))


def test_climbs_that_an_outage_ended_are_tried_again_and_their_trials_are_whole(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    order = driver.run.next_climb()
    assert order is not None
    driver.run.end_climb(order, Failure("outage", "[Errno 122] Disk quota exceeded"))
    assert driver.run.paused is None
    again = driver.run.next_climb()
    assert again is not None
    assert (again.trial, again.fold) == (order.trial, order.fold)
    assert driver.run.state.trials[order.trial].failure is None


def test_an_epoch_that_cannot_be_saved_though_small_files_can_pauses_the_search(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    for _ in range(UNSAVED):
        order = driver.run.next_climb()
        assert order is not None
        driver.run.end_climb(order, Failure("outage", "[Errno 122] Disk quota exceeded"))
    assert driver.run.paused == "[Errno 122] Disk quota exceeded"
    assert driver.run.next_climb() is None


def test_an_outage_that_lasts_too_long_ends_the_search_and_the_next_launch_goes_on(
    outage: Callable[[int, int], None], tmp_path: Path
) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space(), patience=0.2).start()
    for _ in range(6):
        driver.tick()
    outage(10_000, errno.EDQUOT)
    with pytest.raises(OSError, match="Disk quota exceeded"):
        driver.finish()
    driver.record.close()
    outage(0, 0)
    resumed = ToyDriver(tmp_path / "record", toy_space()).start().finish()
    assert len(resumed.run.state.trials) == 12


def test_who_is_asked_to_stop_waits_for_no_storage(outage: Callable[[int, int], None], tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    driver.tick()
    outage(10_000, errno.EIO)
    driver.run.stop()
    began = time.monotonic()
    with pytest.raises(OSError, match="Input/output error"):
        driver.finish()
    assert time.monotonic() - began < 5


def test_a_record_that_another_launch_wrote_to_during_an_outage_is_left_to_it(
    outage: Callable[[int, int], None], tmp_path: Path
) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    event = driver.record.events[-1]
    outage(1, errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        driver.record.append(event)
    with Record(tmp_path / "record") as other:
        other.append(event.model_copy(update={"time": 5.0}))
    with pytest.raises(RecordTakenError):
        driver.record.append(event)
    assert len(list(read_record(tmp_path / "record"))) == len(driver.record.events) + 1


def test_trials_that_an_outage_failed_in_an_earlier_version_are_taken_back_once(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    order = driver.run.next_climb()
    assert order is not None
    driver.run.end_climb(order, Failure("error", "OSError: [Errno 122] Disk quota exceeded: 'trials/0'"))
    assert driver.run.state.trials[0].failure == "error"
    driver.record.close()
    resumed = ToyDriver(tmp_path / "record", toy_space()).start()
    assert resumed.run.state.trials[0].failure is None
    assert resumed.run.state.trials[0].taken_back


def test_errors_of_storage_are_told_by_number_whoever_words_them() -> None:
    assert is_outage(RuntimeError("Error while serializing: I/O error: Disk quota exceeded (os error 122)"))
    assert is_outage(OSError(errno.ESTALE, "Stale file handle"))
    for other in (FileNotFoundError(errno.ENOENT, "gone"), ConnectionResetError(errno.EIO, "x"), ValueError("5")):
        assert not is_outage(other)
    assert not issubclass(StorageOutage, RecordError)

    @of_storage()
    def saved() -> None:
        raise RuntimeError("I/O error: Read-only file system (os error 30)")

    with pytest.raises(StorageOutage, match="Read-only") as raised:
        saved()
    assert raised.value.errno == errno.EROFS
    with pytest.raises(ZeroDivisionError):
        outlast(lambda: 1 / 0)


def test_requests_wait_for_storage_and_none_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "requests"
    request = write_request(folder, StopTrial(trial=3))

    def asked() -> Iterator[tuple[str, Request]]:
        yield from ((file.name, one) for file, one in waiting_requests(folder))

    driver = ToyDriver(tmp_path / "record", toy_space(), requests=asked).start()
    with monkeypatch.context() as out:
        out.setattr(Path, "read_bytes", lambda path: (_ for _ in ()).throw(OSError(errno.ESTALE, "Stale file handle")))
        order = driver.run.next_climb()
        assert order is not None
        assert not driver.run.ends_here(order, 1)
    assert request.is_file(), "it is no unreadable request"
    driver.run.take_requests()
    assert request.name in driver.run.state.requests


@pytest.mark.parametrize(
    "error",
    [
        *(OSError(getattr(errno, kind), "x") for kind in ("EUCLEAN", "EBADMSG", "ECONNABORTED", "ENOTDIR", "EIO")),
        FileNotFoundError(errno.ENOENT, "No such file or directory"),  # a mount that vanished
        OSError("4096 requested and 0 written"),  # numpy's words
    ],
)
def test_whatever_storage_fails_of_while_a_fold_is_saved_is_an_outage(error: OSError) -> None:
    with pytest.raises(StorageOutage) as raised, of_storage():
        raise error
    assert is_outage(raised.value)


def test_what_is_no_fault_of_storage_is_none() -> None:
    for error in (ValueError("x"), ConnectionRefusedError("x"), MemoryError()):
        with pytest.raises(type(error)) as raised, of_storage():
            raise error
        assert not isinstance(raised.value, StorageOutage)
