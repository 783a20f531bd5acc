"""Worker processes that never outlive what they work for: whoever is interrupted, or killed, takes them along."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any


@contextmanager
def worker_pool(
    workers: int, initializer: Callable[..., object] | None = None, arguments: tuple[Any, ...] = ()
) -> Iterator[ProcessPoolExecutor]:
    """Yield a pool of new processes. Where the block raises, they end in the middle of their work, and nobody waits for it."""
    context = get_context("spawn")
    watched, held = context.Pipe(duplex=False)  # its other end closes with this process, whatever ends it
    pool = ProcessPoolExecutor(workers, context, _begin, (watched, initializer, arguments))
    try:
        yield pool
        pool.shutdown()
    finally:
        held.close()
        pool.shutdown(cancel_futures=True)
        watched.close()


def _begin(watched: Connection, initializer: Callable[..., object] | None, arguments: tuple[Any, ...]) -> None:
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()
    if initializer is not None:
        initializer(*arguments)


def _end_with(watched: Connection) -> None:
    """End this process at once when the other end of a pipe is closed."""
    watched.poll(None)
    os._exit(1)
