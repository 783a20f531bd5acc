"""One clear error for a mistake in a space: file, key, what is wrong, the way out."""

from collections.abc import Sequence

from pydantic import ValidationError

from plugins.names import name_hint


class SpaceError(ValueError):
    """A search space says something that cannot be meant."""

    def __init__(self, file: str, key: str, wrong: str) -> None:
        super().__init__(f"{file}: {key}: {wrong}" if key else f"{file}: {wrong}")


def explain(error: ValidationError, valid_at: dict[str, Sequence[str]] | None = None) -> tuple[str, str]:
    """Return (key, sentence) of the first thing pydantic found wrong, an unknown key before one that it leaves missing.

    `valid_at` maps a section ('' is the top) to the names it knows, for the hint on unknown keys.
    """
    first = next((one for one in error.errors() if one["type"] == "extra_forbidden"), error.errors()[0])
    path = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        section = ".".join(path[:-1])
        valid = (valid_at or {}).get(section, ())
        return ".".join(path), f"unknown key; {name_hint(path[-1], valid)}"
    if first["type"] == "missing":
        return ".".join(path), "is missing; add it"
    message = first["msg"].removeprefix("Value error, ")
    given = first.get("input")
    shown = f" (got {given!r})" if isinstance(given, str | int | float | bool) else ""
    return ".".join(path), f"{message}{shown}"
