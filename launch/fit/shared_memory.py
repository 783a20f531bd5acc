"""Whether the batches that wait for all trials fit into /dev/shm: where they do not, their loaders die with a bus error."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from launch.fit.data import values_of
from search_spaces import SearchSpace
from search_spaces.sizes import spell_size
from trainables.training.images.prefetching import loading_processes, shared_memory_bytes

SHARED = Path("/dev/shm")  # where torch's loading processes put batches, on Linux


def check_shared_memory(spaces: Sequence[SearchSpace], cpus: int, trials: int, free: int | None = None) -> None:
    """Refuse a launch whose trials, so many at a time with so many cores and a GPU each, load more than fits.

    Raises:
        ValueError: says how much is wanted and the way out.
    """
    if free is None:
        free = shutil.disk_usage(SHARED).free if SHARED.is_dir() else None
    wanted = trials * shared_memory_bytes(loading_processes(cpus), max(map(batch_bytes, spaces)))
    if free is not None and wanted > free:
        raise ValueError(
            f"{SHARED} has {spell_size(free)} free, and the batches of {trials} trials with {loading_processes(cpus)} loading"
            f" processes each may fill {spell_size(wanted)}; in Docker add --shm-size={-(-2 * wanted // 2**30)}g or --ipc=host,"
            " or lower --cpus-per-trial, batch_size or image_size"
        )


def batch_bytes(space: SearchSpace) -> int:
    """Return the size of the largest batch that a space may draw."""
    return int(max(values_of(space, "batch_size"))) * int(space.recipe()["image_size"]) ** 2 * 3
