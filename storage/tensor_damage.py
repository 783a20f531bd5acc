"""Whether a safetensors file is whole, by its header alone. Needs no torch."""

from pathlib import Path

from safetensors import SafetensorError, safe_open


def damage_of(path: Path) -> str | None:
    """Return what is wrong with a file, None if its header fits its size."""
    try:
        with safe_open(path, "np"):
            return None
    except (SafetensorError, OSError) as error:
        return str(error)
