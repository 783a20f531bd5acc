"""Where the seconds of a fold-epoch go: one stopwatch, read by whoever asks what a trial costs beside its training."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Wall-clock seconds by phase; phases may overlap in threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = time.perf_counter()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the block to a phase."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

    def rounded(self) -> dict[str, float]:
        """Return the seconds of every phase so far, to a tenth of a millisecond."""
        return {name: round(spent, 4) for name, spent in list(self.seconds.items())}

    @property
    def total(self) -> float:
        """Return the seconds since the beginning."""
        return time.perf_counter() - self._started
