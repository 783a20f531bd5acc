"""How long work takes on several slots: the longest piece first, each on the slot that is free first.

Graham, "Bounds on Multiprocessing Timing Anomalies", 1969: at most a third above the shortest schedule there is.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush


def makespan(lengths: Iterable[float], slots: int) -> float:
    """Return when the last of some pieces of work ends, all slots free at 0."""
    free = [0.0] * max(1, slots)
    heapify(free)
    for length in sorted(lengths, reverse=True):
        heappush(free, heappop(free) + length)
    return max(free)
