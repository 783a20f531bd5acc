"""Whether the servers of Ray still live: when one has died, Tune waits for ever, or for a minute and without a word of ours."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from schedulers.ray.private_names import dead_server

_EVERY = 2.0  # seconds


@contextmanager
def servers_watched(died: Callable[[str], None]) -> Iterator[None]:
    """Look after Ray's servers as long as the block runs, and call `died` with the name of the first that has ended."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_EVERY):
            if (name := dead_server()) is not None:
                died(name)
                return

    thread = threading.Thread(target=watch, name="ray servers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=_EVERY)
