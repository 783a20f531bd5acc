"""Durations as people write them: 90s, 5m, 8h, 1h30m, 2d."""

import re
from math import ceil
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNIT_SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PATTERN = re.compile(r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


def parse_duration(text: object) -> float:
    """Return the seconds that `text` stands for; a bare number is seconds.

    Raises:
        ValueError: it is no duration.
    """
    spelled = str(text).strip().replace(" ", "")
    match = _PATTERN.fullmatch(spelled)
    if match and spelled:
        return sum(
            float(part) * unit for part, unit in zip(match.groups(), _UNIT_SECONDS.values(), strict=True) if part
        )
    try:
        return float(spelled)
    except ValueError:
        raise ValueError("is no duration; write it like 90s, 5m, 8h or 1h30m") from None


def spell_duration(seconds: float) -> str:
    """Return a short human spelling, such as '1h 05m' or '42s'."""
    whole = round(max(seconds, 0.0))
    if whole < 60:
        return f"{whole}s"
    if whole < 3_600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3_600}h {whole % 3_600 // 60:02d}m"


def duration_option(seconds: float) -> str:
    """Return a duration as an option takes it, in full minutes and not less, such as '6m' or '1h30m'."""
    hours, minutes = divmod(max(1, ceil(seconds / 60)), 60)
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes or not hours else "")


Duration = Annotated[float, BeforeValidator(parse_duration), Field(gt=0, allow_inf_nan=False)]
