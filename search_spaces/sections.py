"""The sections of a space file, as they are written."""

from typing import Any

from plugins.names import name_hint
from search_spaces.errors import SpaceError

SECTIONS = ("task", "data", "plugins", "metric", "parameters", "constants", "search", "profiles")
_NO_MAPPINGS = ("task", "metric", "plugins")


def sectioned(raw: dict[str, Any], file: str) -> dict[str, Any]:
    """Return the space if its sections are known and of the right kind.

    Raises:
        SpaceError: one is not; names it.
    """
    for section, value in raw.items():
        if section not in SECTIONS:
            raise SpaceError(file, str(section), f"unknown key; {name_hint(section, SECTIONS)}")
        if section not in _NO_MAPPINGS and not isinstance(value, dict | None):
            raise SpaceError(file, str(section), f"must be a mapping (got {value!r})")
    for name, profile in (raw.get("profiles") or {}).items():
        for section, value in mapping(profile, file, f"profiles.{name}").items():
            mapping(value, file, f"profiles.{name}.{section}")
    return raw


def mapping(value: Any, file: str, key: str) -> dict[str, Any]:
    """Return a mapping, an empty one for nothing.

    Raises:
        SpaceError: it is none.
    """
    if not isinstance(value, dict | None):
        raise SpaceError(file, key, f"must be a mapping (got {value!r})")
    return value or {}
