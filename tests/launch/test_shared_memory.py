"""Batches that wait for trials fit into /dev/shm, or the launch says what to do."""

import pytest

from launch.fit.shared_memory import batch_bytes, check_shared_memory
from search_spaces import SearchSpace
from tests.toys.search import toy_space

MIB = 2**20


def of_batches() -> SearchSpace:
    toy = toy_space()
    return toy.model_copy(update={"defaults": {**toy.defaults, "batch_size": 32}})


def test_a_container_with_little_shared_memory_is_told_before_loaders_die_in_it() -> None:
    space = of_batches()
    (batch,) = batch_bytes(space)
    check_shared_memory([space], 4, 2, free=2 * 3 * 2 * batch)
    with pytest.raises(ValueError, match=r"/dev/shm has 67\.1 MB free, .* in Docker add --shm-size=\d+g or --ipc=host"):
        check_shared_memory([space], 9, 4000, free=64 * MIB)


def test_a_machine_is_looked_at_itself() -> None:
    check_shared_memory([of_batches()], 2, 1)
