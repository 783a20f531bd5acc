"""How many batches wait in shared memory: as many as hide a slow one, and no more than memory is sure to hold. No torch."""

MOST = 256 * 2**20  # bytes of batches that wait for one trial, where each worker may hold more than one
_A_WORKER = 2  # batches at most


def loading_processes(cpus: int) -> int:
    """Return how many processes load the batches of a trial beside a GPU: one for each of its cores but one."""
    return max(1, cpus - 1)


def prefetch_factor(workers: int, batch_bytes: int) -> int:
    """Return how many batches each of a trial's loading processes makes ahead."""
    return max(1, min(_A_WORKER, MOST // max(1, workers * batch_bytes)))


def shared_memory_bytes(workers: int, batch_bytes: int) -> int:
    """Return the bytes of /dev/shm that a trial's loading processes fill."""
    return workers * prefetch_factor(workers, batch_bytes) * batch_bytes if workers else 0
