"""Disk: a budget takes from the least promising, a full one breaks no file."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schedulers.disk.disk_budget import to_drop
from schedulers.disk.trimming import Trimmer
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces.sizes import parse_size, spell_size
from studies.record.events import ClimbStarted, Part, TrialFailed
from studies.record.record import read_record
from studies.state.study_state import StudyState
from studies.trials.climb_order import ClimbOrder
from studies.trials.trial_folders import Drop, Holding, TrialFolders
from tests.toys import ROOT
from tests.toys.search import ToyDriver, study_of, toy_space
from trainables.climber import Climber, shared_fold_data
from trainables.config import TrainConfig
from trainables.training.devices import Resources

VOTERS = 3
LADDER = FoldLadder(epochs=9, folds=5, finalists=2)
STUDY = {0: [0.5] * 45, 1: [0.9] * 45, 2: [0.8] * 45, 3: [0.1] * 45, 4: [0.7] * 3, 5: [0.2], 6: [0.3]}


def study() -> StudyState:
    return study_of(STUDY, {0: "recipe"})


def holdings(study: StudyState) -> dict[int, Holding]:
    whole = {trial.number: trial.has_trained(LADDER.rungs.top) for trial in study.trials.values()}
    parts: dict[bool, dict[tuple[int, Part], int]] = {True: {(4, "weights"): 100}, False: {(0, "resume"): 100}}
    return {number: Holding(110, parts[top]) for number, top in whole.items()}


def test_weights_that_can_no_longer_vote_go_first_then_states_of_the_least_promising() -> None:
    known = holdings(study())
    total = sum(holding.total for holding in known.values())
    assert to_drop(study(), LADDER, known, total, VOTERS) == []
    assert to_drop(study(), LADDER, known, total - 1, VOTERS) == [Drop(3, 4, "weights")]
    assert to_drop(study(), LADDER, known, total - 250, VOTERS) == [
        Drop(3, 4, "weights"),
        Drop(5, 0, "resume"),
        Drop(6, 0, "resume"),
    ]
    assert to_drop(study(), LADDER, known, 1, VOTERS)[-1] == Drop(4, 0, "resume")
    assert {drop.trial for drop in to_drop(study(), LADDER, known, 1, VOTERS)} == {3, 4, 5, 6}


def test_what_an_export_would_take_keeps_its_weights_however_few_finalists_there_are() -> None:
    finished = study_of({number: [0.1 * number] * 45 for number in range(1, 7)})
    known = {number: Holding(110, {(0, "weights"): 100}) for number in finished.trials}
    for finalists in (1, 2):
        ladder = FoldLadder(epochs=9, folds=5, finalists=finalists)
        assert {drop.trial for drop in to_drop(finished, ladder, known, 1, VOTERS)} == {1, 2, 3}


def test_weights_of_an_unfinished_trial_go_last() -> None:
    unfinished = study_of({**STUDY, 7: [0.05] * 18}, {0: "recipe"})
    known = holdings(unfinished) | {7: Holding(210, {(0, "weights"): 100, (1, "resume"): 100})}
    assert to_drop(unfinished, LADDER, known, 1, VOTERS)[-1] == Drop(7, 0, "weights")


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 900))
def test_a_budget_is_kept_as_far_as_voters_allow(limit: int) -> None:
    known = holdings(study())
    dropped = to_drop(study(), LADDER, known, limit, VOTERS)
    left = sum(holding.total for holding in known.values()) - 100 * len(dropped)
    assert left <= limit or {drop.trial for drop in dropped} == {3, 4, 5, 6}
    assert not {0, 1, 2} & {drop.trial for drop in dropped}


def test_a_climbing_trial_loses_nothing() -> None:
    busy = study()
    busy.apply(ClimbStarted(time=0, trial=5, fold=0, epoch=2, attempt=9))
    assert 5 not in {drop.trial for drop in to_drop(busy, LADDER, holdings(busy), 1, VOTERS)}


def test_a_fold_in_flight_of_a_trial_that_has_failed_loses_nothing() -> None:
    busy = study()
    busy.apply(ClimbStarted(time=0, trial=5, fold=0, epoch=2, attempt=9))
    busy.apply(TrialFailed(time=0, trial=5, fold=1, failure="diverged", reason="a sibling of it"))
    assert 5 not in {drop.trial for drop in to_drop(busy, LADDER, holdings(busy), 1, VOTERS)}


def test_a_drop_is_noted_before_it_is_done() -> None:
    done: list[Drop] = []

    class Held:
        def holding(self, trial: int) -> Holding:
            return Holding(110, {(0, "resume"): 100})

        def other_bytes(self) -> int:
            return 0

        def drop(self, drop: Drop) -> None:
            done.append(drop)

    trimmer = Trimmer(Held(), 1, VOTERS)  # type: ignore[arg-type]
    for number, (drop, _) in enumerate(trimmer.tidy(study(), LADDER, STUDY)):
        assert len(done) == number
        assert drop not in done
    assert done


@pytest.mark.parametrize("number", [3, 4, 5])
def test_a_state_of_every_layout_can_be_dropped(number: int, tmp_path: Path) -> None:
    shutil.copytree(ROOT / f"tests/golden/format_{number}", tmp_path / "study")
    folders = TrialFolders(tmp_path / "study")
    dropped = 0
    for trial in range(6):
        for (fold, part), size in folders.holding(trial).parts.items():
            if size:
                folders.drop(Drop(trial, fold, part))
                assert not folders.holding(trial).parts[fold, part]
                dropped += 1
    assert dropped > 4


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    """A disk in memory of a given size, such as 1m."""
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        yield place
    finally:
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small", "1m") as place:
        yield place


def test_a_trial_on_a_disk_that_fills_up_keeps_its_last_epoch_and_goes_on_once_there_is_room(
    study: Path, tiny: TrainConfig, tmp_path: Path
) -> None:
    shared_fold_data.cache_clear()
    with mounted(tmp_path / "disk", "300m") as disk:
        for name in ("samples.csv", "data.json"):
            shutil.copy(study / name, disk / name)
        climber = Climber(disk, ClimbOrder(0, 0, 2, 1, tiny.model_dump()), Resources())
        assert climber.step()["epochs"] == 1
        (disk / "filler").write_bytes(bytes(60 * 2**20))
        result = climber.step()
        climber.close()
        assert (result["failure"], result["done"]) == ("disk_full", True)
        assert "MiB are free" in result["reason"]
        assert not list(disk.rglob("*.torn"))
        (disk / "filler").unlink()
        climber = Climber(disk, ClimbOrder(0, 0, 2, 2, tiny.model_dump()), Resources())
        assert climber.step()["epochs"] == 2
        climber.close()


def test_a_record_on_a_full_disk_keeps_whole_lines_and_goes_on_once_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (2**20 - 3 * 4096))
    driver = ToyDriver(small_disk / "record.jsonl", toy_space(trials=60), patience=0.1).start()
    with pytest.raises(OSError, match="No space left"):
        driver.finish()
    driver.record.close()
    kept = len(list(read_record(small_disk / "record.jsonl")))
    assert kept > 5
    filler.unlink()
    resumed = ToyDriver(small_disk / "record.jsonl", toy_space(trials=60)).start().finish()
    assert len(resumed.run.state.trials) == 60


def test_sizes_are_read_as_people_write_them() -> None:
    assert [parse_size(text) for text in ("20GB", "1.5 tb", "500", 500, "3kb")] == [
        20 * 10**9,
        15 * 10**11,
        500,
        500,
        3000,
    ]
    assert [spell_size(size) for size in (20e9, 1.5e6, 12)] == ["20 GB", "1.5 MB", "12 B"]
    for wrong in ("twenty", "-3GB", "3 GiB of"):
        with pytest.raises(ValueError, match="500MB"):
            parse_size(wrong)
