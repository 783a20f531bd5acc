"""How many trials share a device: the choice is a function of measured rows, and trials that train measure them."""

import argparse
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from launch.packing.choice import ROOM, Row, picked, spell_rows
from launch.packing.mps import mps_server
from launch.packing.probe import costliest, measured_rows
from launch.packing.resolution import with_numbers
from tests.toys.training import TINY
from trainables.config import TrainConfig

GPU = 24_000.0  # MiB


def row(trials: int, speed: float | None, memory: float = 2_000, corner: int = 0) -> Row:
    return Row(corner, trials, 8 // trials, speed, memory, GPU)


def test_of_about_as_fast_divisions_the_one_with_the_fewest_trials_is_taken() -> None:
    assert picked([row(1, 1000), row(2, 1900), row(3, 1950)]).trials == 2
    assert picked([row(1, 1000), row(2, 1020), row(3, 900)]).trials == 1


def test_a_division_that_does_not_fit_with_every_corner_is_left_out() -> None:
    assert picked([row(1, 1000), row(2, 1900, memory=13_000)]).trials == 1
    assert picked([row(1, 1000), row(2, 1900), row(1, 50, corner=1), row(2, None, corner=1)]).trials == 1
    with pytest.raises(ValueError, match=r"not even one trial fits .* lower batch_size or image_size"):
        picked([row(1, None), row(2, None)])


def test_a_slow_configuration_counts_as_much_as_a_fast_one() -> None:
    fast, slow = [row(1, 1000), row(2, 1100)], [row(1, 10, corner=1), row(2, 6, corner=1)]
    assert picked([*fast, *slow]).trials == 1


@given(st.lists(st.tuples(st.one_of(st.none(), st.floats(1, 1e4)), st.floats(1, 2 * GPU)), min_size=1, max_size=6))
def test_what_is_picked_fits_and_nothing_much_faster_does(measured: list[tuple[float | None, float]]) -> None:
    rows = [row(place + 1, speed, memory) for place, (speed, memory) in enumerate(measured)]
    fitting = [one for one in rows if one.images_per_second and one.trials * one.memory <= ROOM * GPU]
    if not fitting:
        with pytest.raises(ValueError, match="not even one"):
            picked(rows)
        return
    chosen = picked(rows)
    assert chosen in fitting
    assert (chosen.images_per_second or 0) >= 0.95 * max(one.images_per_second or 0 for one in fitting) * (1 - 1e-9)


def test_the_measurement_is_told_with_what_is_taken() -> None:
    rows = [row(1, 1000), row(2, None)]
    assert spell_rows(rows, rows[0]) == (
        "Images per second, measured: 1 at a time 1000; 2 at a time no memory. 1 at a time, with 8 cores each, are taken."
    )


def test_only_what_costs_is_measured_and_the_largest_first() -> None:
    configs = [
        TrainConfig(**{**TINY, "batch_size": batch, "learning_rate": rate}) for batch in (4, 16) for rate in (0.1, 0.01)
    ]
    assert [config.batch_size for config in costliest(configs)] == [16, 4]


@pytest.mark.slow
def test_trials_that_really_train_are_measured_in_every_division_of_the_cores() -> None:
    rows = measured_rows([TrainConfig(**TINY)], 2, 0, [], seconds=0.5)
    assert [(one.trials, one.cpus) for one in rows] == [(1, 2), (2, 1)]
    assert all(one.images_per_second and 0 < one.memory < one.free for one in rows)


def test_auto_beside_a_cluster_is_refused_with_the_way_out() -> None:
    options = argparse.Namespace(trials_per_gpu="auto", cpus_per_trial=None, address="auto")
    with pytest.raises(ValueError, match=r"run python -m benchmarks\.packing on one of them and say the number"):
        with_numbers(options, [], print)


@pytest.mark.parametrize("works", [True, False])
def test_a_server_that_trials_share_a_gpu_by_runs_as_long_as_the_launch(
    works: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    command = tmp_path / "nvidia-cuda-mps-control"
    command.write_text(f'#!/bin/sh\necho "$1$(test -z "$1" && cat)" >> {told}\nexit {0 if works else 1}\n')
    command.chmod(command.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_MPS_PIPE_DIRECTORY", raising=False)
    lines = list[str]()
    with mps_server(lines.append):
        assert ("CUDA_MPS_PIPE_DIRECTORY" in os.environ) == works, "trials find it by that"
    assert "CUDA_MPS_PIPE_DIRECTORY" not in os.environ
    assert told.read_text().split() == (["-d", "quit"] if works else ["-d"])
    assert lines == [
        "Trials that share a GPU compute on it at once: NVIDIA's MPS was started."
        if works
        else "Trials that share a GPU take turns on it: NVIDIA's MPS could not be started."
    ]
