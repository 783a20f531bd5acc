"""Which of several measured divisions of a device is taken: a pure function of the rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from analysis.reading.words import counted

AS_FAST = 0.95  # of the fastest: with fewer trials at a time, each is chosen knowing more
ROOM = 0.9  # of the memory that trials may fill: fragments and other processes take some


@dataclass(frozen=True)
class Row:
    """What a configuration reached when so many trials with so many cores shared a device; memory in MiB."""

    corner: int
    trials: int
    cpus: int
    images_per_second: float | None  # of all together; None: memory did not suffice
    memory: float  # of each
    free: float  # for all

    @property
    def fits(self) -> bool:
        return self.images_per_second is not None and self.trials * self.memory <= ROOM * self.free


def picked(rows: Sequence[Row]) -> Row:
    """Return a row of the division that trains most images with every configuration: of about as fast ones the fewest trials.

    Every configuration counts alike, by its speed as a share of the best that it reached.

    Raises:
        ValueError: not even one trial fits into memory.
    """
    by_trials = defaultdict[int, list[Row]](list)
    for row in rows:
        by_trials[row.trials].append(row)
    fitting = {trials: of_it for trials, of_it in by_trials.items() if all(row.fits for row in of_it)}
    if not fitting:
        raise ValueError("not even one trial fits into the memory of the device; lower batch_size or image_size")
    best = defaultdict[int, float](float)
    for row in (row for of_it in fitting.values() for row in of_it):
        best[row.corner] = max(best[row.corner], row.images_per_second or 0.0)
    speeds = {
        trials: mean((row.images_per_second or 0.0) / best[row.corner] for row in of_it)
        for trials, of_it in fitting.items()
    }
    fastest = max(speeds.values())
    return fitting[min(trials for trials, speed in speeds.items() if speed >= AS_FAST * fastest)][0]


def spell_rows(rows: Sequence[Row], chosen: Row) -> str:
    """Return what was measured and what is taken, in one line."""
    speeds = defaultdict[int, list[str]](list)
    for row in rows:
        speeds[row.trials].append("no memory" if row.images_per_second is None else f"{row.images_per_second:.0f}")
    shown = "; ".join(f"{trials} at a time {' and '.join(of_it)}" for trials, of_it in speeds.items())
    taken = f"{chosen.trials} at a time, with {counted(chosen.cpus, 'core')} each, are taken."
    return f"Images per second, measured: {shown}. {taken}"
