"""A user's own weights as a value of the knob `weights`: path and sha256 together. Needs no torch."""

import re
from pathlib import Path

from storage.tensor_damage import damage_of
from studies.trials.manifest import sha256_of

KINDS = ("imagenet", "none")
_SEALED = re.compile("#[0-9a-f]{64}$")


class WeightsError(ValueError):
    """Weights that cannot be had or do not fit; the message names the way out."""


def sealed(value: str) -> str:
    """Return a value of the knob with the hash of the file that it names; 'PATH#SHA256' stays as it is.

    Raises:
        WeightsError: there is no such file, or it is damaged.
    """
    if value in KINDS or _SEALED.search(value):
        return value
    path = Path(value).absolute()
    if not path.is_file():
        raise WeightsError(f"there is no file {path}; say imagenet, none, or the path of a .safetensors or .pth file")
    if path.suffix == ".safetensors" and (damage := damage_of(path)):
        raise WeightsError(f"{path}: is damaged ({damage}); copy it again")
    return f"{path}#{sha256_of(path)}"


def digest_of(value: str) -> str:
    """Return what identifies weights: their kind, or the hash of the file wherever it lies."""
    return value.rpartition("#")[2]


def file_of(value: str) -> Path:
    """Return the file that a sealed value names.

    Raises:
        WeightsError: it is gone, or is another one by now.
    """
    name, _, digest = value.rpartition("#")
    path = Path(name)
    if not path.is_file() or sha256_of(path) != digest:
        raise WeightsError(f"weights: {path} is missing or was changed since the study began; bring it back")
    return path
