"""The decoded-image cache: right pixels, one build, no half-built file."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets.cache import build_cache
from datasets.errors import DataError
from datasets.images import read_image


@pytest.fixture
def pictures(tmp_path: Path) -> list[Path]:
    generator = np.random.default_rng(0)
    paths = [tmp_path / f"{number}.png" for number in range(5)]
    for path in paths:
        Image.fromarray(generator.integers(0, 256, (20, 15, 3), dtype=np.uint8)).save(path)
    return paths


def test_cached_pixels_are_those_that_predict_would_read(pictures: list[Path], tmp_path: Path) -> None:
    cache = build_cache(pictures, 16, tmp_path / "cache")
    assert np.array_equal(cache.open(), np.stack([read_image(path, 16) for path in pictures]))


def test_the_same_images_are_decoded_once_and_changed_images_anew(pictures: list[Path], tmp_path: Path) -> None:
    decoded: list[int] = []

    def build() -> Path:
        return build_cache(pictures, 16, tmp_path / "cache", lambda done, total: decoded.append(done)).folder

    first, again = build(), build()
    assert first == again
    assert len(decoded) == 5
    Image.new("RGB", (20, 15), "red").save(pictures[3])
    changed = build()
    assert changed != first
    assert len(decoded) == 10


def test_the_images_are_memory_mapped_and_read_only(pictures: list[Path], tmp_path: Path) -> None:
    images = build_cache(pictures, 16, tmp_path / "cache").open()
    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_a_truncated_cache_is_refused(pictures: list[Path], tmp_path: Path) -> None:
    cache = build_cache(pictures, 16, tmp_path / "cache")
    file = cache.folder / "images.u8"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match="was cut or changed; delete"):
        cache.open()


def test_a_build_that_dies_leaves_no_cache(pictures: list[Path], tmp_path: Path) -> None:
    def die(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_cache(pictures, 16, tmp_path / "cache", die)
    assert not list((tmp_path / "cache").glob("images-*"))


def test_grey_and_turned_images_become_upright_rgb(tmp_path: Path) -> None:
    grey = tmp_path / "grey.pgm"
    Image.new("L", (8, 8), 77).save(grey)
    assert read_image(grey, 4).tolist() == np.full((4, 4, 3), 77).tolist()
    turned = tmp_path / "turned.jpg"
    picture = Image.new("RGB", (32, 16))
    picture.paste("white", (0, 0, 16, 16))
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its side
    picture.save(turned, exif=exif)
    upright = read_image(turned, 16).mean(axis=2)
    assert upright[:4].mean() > 200 > 50 > upright[-4:].mean()


def test_a_sixteen_bit_image_keeps_its_greys(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 128 * 256, np.uint16)).save(tmp_path / "deep.png")
    assert read_image(tmp_path / "deep.png", 4).mean() == 128
