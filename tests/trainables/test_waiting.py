"""Where the time of training goes: the wait for batches is measured, and chunks to predict are gathered ahead."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from studies.trials.climb_order import ClimbOrder
from tests.toys.training import TINY
from trainables.climber import Climber
from trainables.config import TrainConfig
from trainables.training.devices import Resources, place
from trainables.training.fold_learner import FoldLearner
from trainables.training.images.fold_data import FoldData, load_fold_data
from trainables.training.images.prefetching import prefetch_factor, shared_memory_bytes
from trainables.training.memory import Chunks, gathered_ahead
from trainables.training.stopwatch import TrainingClock


@pytest.fixture
def data(study: Path) -> FoldData:
    return load_fold_data(study)


def slow(batches: int) -> Iterator[int]:
    for number in range(batches):
        time.sleep(0.05)
        yield number


def test_only_the_wait_for_batches_counts_as_waiting() -> None:
    clock = TrainingClock(torch.device("cpu"))
    for _ in clock.waiting(slow(3)):
        time.sleep(0.1)
    assert 0.15 <= clock.waited < 0.3
    assert clock.device_seconds is None, "a CPU has no events"


def test_a_fold_epoch_records_how_long_it_waited_for_input(study: Path, tiny: TrainConfig) -> None:
    result = Climber(study, ClimbOrder(0, 0, 1, 1, tiny.model_dump()), Resources()).step()
    assert 0 < result["phases"]["wait_input"] < result["phases"]["train"]
    assert "device" not in result["phases"]
    assert result["precision"] == "float32"


def test_the_next_chunk_is_gathered_while_the_last_is_predicted() -> None:
    images, asked = np.arange(10, dtype=np.uint8), list[int]()

    def gathered(part: slice) -> np.ndarray[tuple[int], np.dtype[np.uint8]]:
        asked.append(part.start)
        return images[part]

    chunks = gathered_ahead([slice(start, start + 4) for start in (0, 4, 8)], gathered)
    assert next(chunks).tolist() == [0, 1, 2, 3]
    deadline = time.monotonic() + 10
    while len(asked) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert asked == [0, 4], "and no more than one ahead: memory is bounded"
    assert [chunk.tolist() for chunk in chunks] == [[4, 5, 6, 7], [8, 9]]


def test_chunks_that_are_gathered_ahead_are_predicted_as_the_others_also_after_memory_ran_out(data: FoldData) -> None:
    config = TrainConfig(**TINY)
    learner = FoldLearner(config, data, 0, 0, place(config, Resources()))
    whole = learner.judge(data).probabilities
    learner._chunks = Chunks(len(data.ids), ahead=True)
    forward, most = learner.model.forward, 7

    def small(images: torch.Tensor) -> torch.Tensor:
        if len(images) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        outputs: torch.Tensor = forward(images)
        return outputs

    learner.model.forward = small  # type: ignore[method-assign]
    assert np.allclose(learner.judge(data).probabilities, whole, atol=1e-6)
    assert learner._chunks.images <= most


def test_batches_wait_in_shared_memory_up_to_a_bound() -> None:
    small, large = 32 * 224 * 224 * 3, 128 * 600 * 600 * 3
    assert prefetch_factor(4, small) == 2
    assert prefetch_factor(8, large) == 1, "a worker holds at least the batch that it has made"
    assert shared_memory_bytes(8, large) == 8 * large
    assert shared_memory_bytes(0, large) == 0
