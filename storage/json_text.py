"""JSON that somebody else wrote: whatever is wrong with it is a ValueError, also nesting that no reader follows."""

import json
from typing import Any


def load_json(text: str | bytes) -> Any:
    """Return what a text spells.

    Raises:
        ValueError: it is no JSON, or nested beyond all use.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("is nested too deep") from None
