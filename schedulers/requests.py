"""The driver's look into a study's folder of requests: now and then, each request once."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

from studies.requests import Request, StopSearch, asked_at, waiting_requests

logger = logging.getLogger(__name__)
_EVERY = 0.5  # seconds between looks


class RequestFolder:
    """Hands out requests by their names; a file goes when its request was taken.

    Who asked for a stop before `launched` (seconds since 1970) meant an earlier launch, which had ended by itself.
    """

    def __init__(self, folder: Path, launched: float = 0.0) -> None:
        self._folder, self._launched, self._looked = folder, launched, float("-inf")

    def __call__(self) -> Iterator[tuple[str, Request]]:
        """Yield what has come since the last look, the earliest first; nothing if that was just now."""
        if time.monotonic() - self._looked < _EVERY:
            return
        self._looked = time.monotonic()
        for file, request in waiting_requests(self._folder):
            if isinstance(request, StopSearch) and asked_at(file) < self._launched:
                logger.warning("A stop that was asked for before this launch is left out.")
            else:
                yield file.stem, request
            file.unlink(missing_ok=True)
