"""Ctrl-C and SIGTERM during a search: once, climbs end after their epoch; twice, at once. Nothing is lost either way.

A job system or a reboot sends SIGTERM and kills soon after: a fold-epoch that takes longer than `patience` is cut short.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

FAILED = 1  # the exit code of a search that something outside of it has ended
STOPPED = 130  # the exit code of a search that was asked to stop
PATIENCE = 12.0  # seconds after SIGTERM, unless --patience says otherwise; the process needs a few more to end
CLOSING = 2.0  # seconds for the last events, on a disk that may hang


class Stoppable(Protocol):
    """A search that can be asked to stop."""

    def stop(self) -> None:
        """Let what runs end after its epoch."""

    def close_at_once(self) -> None:
        """Record, from another thread than the search's, that it ends now."""


def leave_at_once(search: Stoppable, say: Callable[[str], None], how: str, again: str, code: int) -> None:
    """End the process, its last events recorded if the disk takes them."""
    try:
        closing = threading.Thread(target=search.close_at_once, daemon=True)
        closing.start()
        closing.join(CLOSING)
        say(f"{how}; running epochs are lost, nothing finished is. To continue: {again}")
    finally:
        os._exit(code)


@contextmanager
def stopping_on_signals(
    search: Stoppable, say: Callable[[str], None], again: str, patience: float = PATIENCE
) -> Iterator[None]:
    """Stop a search at the first SIGINT or SIGTERM of the block; leave at once at the second.

    `again` is the command that continues. Leaving at once is safe: the record and the trial folders are whole after
    every event, and Ray's processes end when they lose their driver.
    """
    asked = False

    def leave(how: str) -> None:
        leave_at_once(search, say, how, again, STOPPED)

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:  # the interrupted thread may be writing an event, which has to end before another is written
            threading.Thread(target=leave, args=["Stopped at once"], daemon=True).start()
            return
        asked = True
        if number == signal.SIGTERM:
            cut.start()
        search.stop()  # whatever becomes of the line
        say("Stopping: running epochs are finished and saved first (again to stop at once).")

    cut = threading.Timer(patience, leave, ["Cut short"])
    cut.daemon = True
    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        cut.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
