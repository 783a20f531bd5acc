"""Sizes on disk as people write them: 500MB, 20GB, 1.5TB."""

import re
from typing import Annotated

from pydantic import BeforeValidator, Field

_UNIT_BYTES = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_PATTERN = re.compile(r"(\d{1,15}(?:\.\d+)?)\s*([KMGT]?B)?", re.IGNORECASE)


def parse_size(text: object) -> int:
    """Return the bytes that `text` stands for; a bare number is bytes.

    Raises:
        ValueError: it is no size.
    """
    match = _PATTERN.fullmatch(str(text).strip())
    if match is None:
        raise ValueError("is no size; write it like 500MB, 20GB or 1.5TB")
    return int(float(match[1]) * _UNIT_BYTES[(match[2] or "").upper()])


def spell_size(size: float) -> str:
    """Return a short human spelling, such as '1.5 GB'."""
    for unit in ("TB", "GB", "MB", "KB"):
        if size >= _UNIT_BYTES[unit]:
            return f"{size / _UNIT_BYTES[unit]:.3g} {unit}"
    return f"{size:.0f} B"


Size = Annotated[int, BeforeValidator(parse_size), Field(gt=0)]
