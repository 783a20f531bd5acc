"""The line of those that led: level while one leads, a step where another does, a gap while nobody does."""

from collections.abc import Iterator
from itertools import pairwise

from analysis.reading.timeline import Scored, Timeline

Corner = tuple[float, Scored | None]  # minutes of search, and who led there


def corners(timeline: Timeline) -> list[Corner]:
    """Return the corners of the line, which ends with the search so far."""
    return list(_corners(timeline))


def _corners(timeline: Timeline) -> Iterator[Corner]:
    leads = timeline.leaders
    if not leads:
        return
    for lead, following in pairwise(leads):
        yield lead.since / 60, lead.scored
        yield following.since / 60, lead.scored
    yield leads[-1].since / 60, leads[-1].scored
    yield timeline.until / 60, leads[-1].scored
