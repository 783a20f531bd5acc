"""What is installed is what was pinned, by its hash where somebody asks for it."""

import re

import pytest

from tests.toys import ROOT

_PIN = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^]]*\])?==([^ \\\n]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    found = _PIN.findall((ROOT / name).read_text())
    return {re.sub(r"[-_.]+", "-", package).lower(): version for package, version in found}


def test_the_lock_file_holds_every_pin_and_a_hash_for_everything() -> None:
    """Made anew by the command in its head."""
    locked = pins("requirements.lock")
    assert pins("requirements.txt").items() <= locked.items()
    blocks = re.split(r"\n(?=[a-z])", (ROOT / "requirements.lock").read_text().partition("\n#\n")[2])
    packages = [block for block in blocks if _PIN.match(block)]
    assert len(packages) == len(locked) > 100
    assert all("--hash=sha256:" in block for block in packages)


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_requirement_is_pinned_to_one_version(name: str) -> None:
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and not line.startswith(("#", "-r"))]
    assert all(_PIN.match(line) for line in lines)
