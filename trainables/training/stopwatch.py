"""Where the seconds of a fold-epoch go: by the clock of the host, and by the events of a GPU."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

T = TypeVar("T")


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
            self.add(name, time.perf_counter() - started)

    def add(self, name: str, seconds: float | None) -> None:
        """Add seconds to a phase, none where they were not measured."""
        if seconds is not None:
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    def rounded(self) -> dict[str, float]:
        """Return the seconds of every phase so far, to a tenth of a millisecond."""
        return {name: round(spent, 4) for name, spent in list(self.seconds.items())}

    @property
    def total(self) -> float:
        """Return the seconds since the beginning."""
        return time.perf_counter() - self._started


class TrainingClock:
    """How long an epoch of training waited for its batches, and how long a GPU was at its steps."""

    def __init__(self, device: torch.device) -> None:
        self.waited = 0.0  # seconds
        self._device, self._events = device, list[tuple[torch.cuda.Event, torch.cuda.Event]]()

    def waiting(self, batches: Iterator[T]) -> Iterator[T]:
        """Yield batches, and add how long each let wait."""
        while True:
            started = time.perf_counter()
            try:
                batch = next(batches)
            except StopIteration:
                return
            finally:
                self.waited += time.perf_counter() - started
            yield batch

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Mark a block on the GPU's own line of time; nothing on other devices. The rest was never run on a GPU."""
        if self._device.type != "cuda":
            yield
            return
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        start.record()
        yield
        end.record()
        self._events.append((start, end))

    @property
    def device_seconds(self) -> float | None:
        """Return how long the marked blocks took on the GPU, once it has come to their end; None on other devices."""
        if not self._events:
            return None
        self._events[-1][1].synchronize()
        return float(sum(start.elapsed_time(end) for start, end in self._events)) / 1000
