"""The line of those that led: level while one leads, a step where another does, a gap while nobody does."""

from analysis.reading.timeline import Scored, Timeline

Corner = tuple[float, Scored | None]  # minutes of search, and who led there


def corners(timeline: Timeline) -> list[Corner]:
    """Return the corners of the line, which ends with the search so far."""
    leads = list(timeline.leaders)
    ends = [*(lead.since for lead in leads[1:]), timeline.until]
    return [(at / 60, lead.scored) for lead, end in zip(leads, ends, strict=False) for at in (lead.since, end)]
