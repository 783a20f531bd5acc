"""A configuration that a study may try."""

from dataclasses import dataclass
from typing import Any

PORTFOLIO, ENQUEUED = "portfolio", "enqueued"  # who proposed what comes from one, and from the user's own list


@dataclass(frozen=True)
class Proposal:
    """A whole configuration, who proposed it, and its place by what was seen on other data, where that is known."""

    configuration: dict[str, Any]
    origin: str
    expected: float | None = None
