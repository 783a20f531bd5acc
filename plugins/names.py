"""The hint that every error about an unknown name ends with."""

from collections.abc import Iterable
from difflib import get_close_matches


def name_hint(name: object, valid: Iterable[object]) -> str:
    """Return 'did you mean NAME? Valid: ...' for an unknown name."""
    names = [str(candidate) for candidate in valid]
    close = get_close_matches(str(name), names, n=1, cutoff=0.5)
    nearest = f"did you mean {close[0]}? " if close else ""
    return f"{nearest}Valid: {', '.join(names) or '(none)'}"
