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
    processes = loading_processes(cpus)
    wanted = trials * max(shared_memory_bytes(processes, batch) for space in spaces for batch in batch_bytes(space))
    if free is not None and wanted > free:
        raise ValueError(
            f"{SHARED} has {spell_size(free)} free, and the batches of {trials} trials with {processes} loading"
            f" processes each may fill {spell_size(wanted)}; in Docker add --shm-size={-(-2 * wanted // 2**30)}g or --ipc=host,"
            " or lower --cpus-per-trial, batch_size or image_size"
        )


def batch_bytes(space: SearchSpace) -> list[int]:
    """Return the sizes of the batches that a space may draw."""
    return [int(batch) * int(space.recipe()["image_size"]) ** 2 * 3 for batch in values_of(space, "batch_size")]
