"""The driver's look into a study's folder of requests: now and then, each request once."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from studies.record.requests import Request, StopSearch, waiting_requests

logger = logging.getLogger(__name__)
_EVERY = 0.5  # seconds between looks


class RequestFolder:
    """Hands out requests by their names; a file goes when its request was taken."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._looked = folder, float("-inf")

    def __call__(self) -> Iterator[tuple[str, Request]]:
        """Yield what has come since the last look, the earliest first; nothing if that was just now."""
        if time.monotonic() - self._looked < _EVERY:
            return
        self._looked = time.monotonic()
        for file, request in waiting_requests(self._folder):
            yield file.stem, request
            file.unlink(missing_ok=True)


def leave_out_stops(folder: Path) -> None:
    """Take away what asked an earlier launch to stop, which ended by itself before it looked."""
    for file, request in waiting_requests(folder):
        if isinstance(request, StopSearch):
            logger.warning("A stop that was asked for before this launch is left out.")
            file.unlink(missing_ok=True)
