"""Ctrl-C and SIGTERM during a search: once, climbs end after their epoch; twice, at once. Nothing is lost either way."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130  # the exit code of a search that was told to stop


@contextmanager
def stopping_on_signals(stop: Callable[[], None], say: Callable[[str], None]) -> Iterator[None]:
    """Call `stop` at the first SIGINT or SIGTERM of the block; leave at once at the second.

    Leaving at once is safe: the record and the trial folders are whole after every event, and Ray's
    processes end when they lose their driver.
    """
    told = False

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal told
        if told:
            say("Stopped at once; running epochs are lost, nothing finished is.")
            os._exit(STOPPED)
        told = True
        say("Stopping: running epochs are finished and saved first (again to stop at once).")
        stop()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
