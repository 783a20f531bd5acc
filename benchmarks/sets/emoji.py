"""Emoji in eight categories, from the npm package emoji-datasource-google: about 88 pictures each, skin tones in one group."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.sets.pictures import Picture

_PACKAGE, _FOLDER = "emoji-datasource-google@16.0.0", "package/img/google/64"
_OF_A_CATEGORY, _TONES = 88, 3  # pictures of a category, skin tones of an emoji
_LEFT_OUT = ("Component", "Symbols")  # parts of others, and signs of all kinds


def emoji() -> Iterator[Picture]:
    """Yield emoji at random, a whole group at a time, until a category has enough."""
    with TemporaryDirectory() as folder, tarfile.open(_packed(Path(folder))) as package:
        every = json.loads(_content(package, "package/emoji.json"))
        names = set(package.getnames())
        counts: dict[str, int] = {}
        for number in np.random.default_rng(0).permutation(len(every)):
            category = every[number]["category"]
            if category in _LEFT_OUT or counts.get(category, 0) >= _OF_A_CATEGORY:
                continue
            for file in _variants(every[number]):
                if f"{_FOLDER}/{file}" in names:
                    counts[category] = counts.get(category, 0) + 1
                    picture = Image.open(BytesIO(_content(package, f"{_FOLDER}/{file}"))).convert("RGBA")
                    yield Picture(file, _on_white(picture), category, every[number]["unified"])


def _packed(folder: Path) -> Path:
    """Return the package's archive, fetched into a folder."""
    command = ["npm", "pack", "--silent", _PACKAGE]
    name = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.split()[-1]
    return folder / name


def _content(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(name)
    assert file is not None, name
    return file.read()


def _variants(emoji: dict[str, Any]) -> list[str]:
    """Return the file names of an emoji and of its first skin tones."""
    tones = list(emoji.get("skin_variations", {}).values())[:_TONES]
    return [emoji["image"], *(tone["image"] for tone in tones)]


def _on_white(picture: Image.Image) -> Image.Image:
    white = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(white, picture).convert("RGB")
