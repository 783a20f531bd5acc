"""The decoded-image cache: right pixels, one build, no half-built file."""

import json
import os
import struct
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from datasets.decoded import decoding
from datasets.decoded.cache import build_cache, is_whole, load_cache
from datasets.errors import DataError
from datasets.images import LARGEST, Form, Resize, UnreadableImage, read_image
from storage.rebuilt_folder import StorageError
from trainables.training.images.fold_data import decoded_images, load_fold_data


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
    Image.new("RGB", (9, 31), "red").save(pictures[3])  # another size
    assert len({first, changed, build()}) == 3
    assert len(decoded) == 15


def test_the_images_are_memory_mapped_and_read_only(pictures: list[Path], tmp_path: Path) -> None:
    images = build_cache(pictures, 16, tmp_path / "cache").open()
    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0


def test_a_truncated_cache_is_refused_and_built_anew(pictures: list[Path], tmp_path: Path) -> None:
    cache = build_cache(pictures, 16, tmp_path / "cache")
    whole, file = cache.open().copy(), cache.folder / "images.u8"
    for damage in (lambda: file.write_bytes(whole.tobytes()[:-1]), file.unlink, lambda: clear(cache.folder)):
        damage()
        assert not is_whole(cache.folder)
        with pytest.raises((DataError, OSError)):
            cache.open()
        assert np.array_equal(build_cache(pictures, 16, tmp_path / "cache").open(), whole)


def clear(folder: Path) -> None:
    """Leave what a killed clean-up would: the images alone, without what says how many they are."""
    (folder / "cache.json").unlink()
    (folder / "images.u8").write_bytes(b"")


def test_too_little_room_is_told_with_numbers_before_anything_is_decoded(
    pictures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "_SPARE_BYTES", 2**60)
    decoded: list[int] = []
    with pytest.raises(DataError, match=r"need 0 MiB, and [\d,]+ MiB are free .* FOLDRACE_CACHE"):
        build_cache(pictures, 16, tmp_path / "cache", lambda done, total: decoded.append(done))
    assert not decoded
    assert not list((tmp_path / "cache").glob("images-*"))


def test_a_group_that_shares_a_cache_keeps_its_rights(pictures: list[Path], tmp_path: Path) -> None:
    """Decoded images were closed to all but whoever decoded them first."""
    before = os.umask(0o002)
    try:
        folder = build_cache(pictures, 16, tmp_path / "shared").folder
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o775
    assert (folder / "images.u8").stat().st_mode & 0o777 == 0o664


def test_a_cache_folder_that_cannot_be_made_is_told(pictures: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write the cache .* set FOLDRACE_CACHE"):
        build_cache(pictures, 16, tmp_path / "file" / "cache")


def test_trials_that_need_a_cache_at_once_build_it_once(pictures: list[Path], tmp_path: Path) -> None:
    decoded: list[int] = []

    def build(_: int) -> Path:
        return build_cache(pictures, 16, tmp_path / "cache", lambda done, total: decoded.append(done)).folder

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(build, range(6)))) == 1
    assert decoded == [1, 2, 3, 4, 5]


def test_what_a_killed_build_left_is_swept_away_by_the_next(pictures: list[Path], tmp_path: Path) -> None:
    target = build_cache(pictures, 16, tmp_path / "cache").folder
    left = target.rename(target.with_name(f".{target.name}.abcdefgh"))
    other = build_cache(pictures, 8, tmp_path / "cache").folder  # of another size: it sweeps, too
    assert not left.exists()
    assert build_cache(pictures, 16, tmp_path / "cache").folder == target
    assert other.exists()


def test_a_sweep_leaves_a_build_alone_that_is_under_way(pictures: list[Path], tmp_path: Path) -> None:
    def build_another(done: int, total: int) -> None:
        if done == 1:
            build_cache(pictures, 8, tmp_path / "cache")

    cache = build_cache(pictures, 16, tmp_path / "cache", build_another)
    assert np.array_equal(cache.open(), np.stack([read_image(path, 16) for path in pictures]))


def test_pages_that_never_reached_the_disk_are_seen(pictures: list[Path], tmp_path: Path) -> None:
    cache = build_cache(pictures, 16, tmp_path / "cache")
    whole = cache.open().copy()
    (cache.folder / "images.u8").write_bytes(bytes(cache.bytes))
    with pytest.raises(DataError, match="were changed; start again"):
        load_cache(cache.folder)
    assert np.array_equal(build_cache(pictures, 16, tmp_path / "cache").open(), whole)


@pytest.mark.parametrize("facts", ['{"count": null}', '{"count": 0, "image_size": 16, "unreadable": []}', "[]", "{"])
def test_a_damaged_description_has_the_cache_built_anew(facts: str, pictures: list[Path], tmp_path: Path) -> None:
    cache = build_cache(pictures, 16, tmp_path / "cache")
    (cache.folder / "cache.json").write_text(facts)
    assert not is_whole(cache.folder)
    assert build_cache(pictures, 16, tmp_path / "cache").count == 5


def test_an_image_that_changes_during_the_build_is_told_and_nothing_is_published(
    pictures: list[Path], tmp_path: Path
) -> None:
    with ThreadPoolExecutor(1) as pool:
        files = [decoding.hashed(path) for path in pictures]
        Image.new("RGB", (20, 15), "red").save(pictures[3])
        with pytest.raises(DataError, match=r"3.png: changed while the images were decoded"):
            decoding.decode_all(pool, files, Form(16), tmp_path / "images.u8", None)


def test_a_node_without_the_decoded_images_decodes_them_to_the_same_pixels(study: Path, tmp_path: Path) -> None:
    here = load_fold_data(study)
    facts = json.loads((study / "data.json").read_text())
    elsewhere = {**facts, "cache": str(tmp_path / "not_on_this_node")}
    assert np.array_equal(decoded_images(study, elsewhere), here.images)
    with pytest.raises(DataError, match="not those that the study began with"):
        decoded_images(study, {**elsewhere, "images": "images-of-yesterday"})


def test_a_jpeg_decoded_at_reduced_scale_is_nearly_that_of_a_full_decode(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    rough = Image.fromarray(generator.integers(0, 256, (24, 32, 3), dtype=np.uint8))
    rough.resize((512, 384), Image.Resampling.BICUBIC).save(tmp_path / "one.jpg", quality=90)
    full = Image.open(tmp_path / "one.jpg").resize((32, 32), Image.Resampling.BICUBIC)
    difference = np.abs(read_image(tmp_path / "one.jpg", 32).astype(int) - np.asarray(full).astype(int))
    assert 0 < difference.max() <= 6  # not 0: it was reduced


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


def upside_down_with_odd_exif(path: Path) -> None:
    """Write a lying picture whose EXIF names the orientation, and beside it a value that cannot be written again."""
    picture = Image.new("RGB", (32, 16))
    picture.paste("white", (0, 0, 16, 16))
    entries = [(0x0112, 3, 1, 6), (0x0128, 4, 1, 70_000)]  # a unit that is no short number
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    tiff = b"II*\x00" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)
    picture.save(path, exif=b"Exif\x00\x00" + tiff)


def test_a_picture_with_odd_exif_is_used_as_its_camera_was_held(tmp_path: Path) -> None:
    upside_down_with_odd_exif(tmp_path / "odd.jpg")
    with Image.open(tmp_path / "odd.jpg") as image, pytest.raises(struct.error):
        ImageOps.exif_transpose(image)
    upright = read_image(tmp_path / "odd.jpg", 16).mean(axis=2)
    assert upright[:4].mean() > 200 > 50 > upright[-4:].mean()


@pytest.mark.parametrize("kind", ["png", "tif", "jpg", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_as_pillow_turns_it(orientation: int, kind: str, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    picture = Image.fromarray(generator.integers(0, 256, (24, 36, 3), dtype=np.uint8))
    exif, path = Image.Exif(), tmp_path / f"turned.{kind}"
    exif[0x0112] = orientation
    picture.save(path, exif=exif, **({"lossless": True} if kind == "webp" else {}))
    with Image.open(path) as image:
        expected = ImageOps.exif_transpose(image).convert("RGB").resize((24, 24), Image.Resampling.BICUBIC)
    assert np.array_equal(read_image(path, 24), np.asarray(expected))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=40), st.integers(0, 400), st.sampled_from(["jpeg", "png", "tiff", "webp", "bmp", "ppm"]))
def test_whatever_a_file_contains_raises_nothing_but_our_own_error(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, place: int, kind: str
) -> None:
    path = tmp_path_factory.mktemp("noise") / f"a.{kind}"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (9, 7), "red").save(path, **({"exif": exif} if kind in ("jpeg", "png", "webp") else {}))
    whole = path.read_bytes()
    path.write_bytes(whole[:place] + noise + whole[place + len(noise) :])
    with suppress(UnreadableImage):
        assert read_image(path, 8).shape == (8, 8, 3)


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    Image.new("1", (13_000, 13_000)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 100_000
    with pytest.raises(UnreadableImage, match=r"bomb\.png: has 169 megapixels, more than the 89 that are read"):
        read_image(tmp_path / "bomb.png", 8)
    assert Image.MAX_IMAGE_PIXELS == LARGEST


def striped(tmp_path: Path) -> Path:
    """Write a picture of twice its height: red at both ends, blue in the middle half."""
    picture = Image.new("RGB", (64, 32), "red")
    picture.paste("blue", (16, 0, 48, 32))
    picture.save(tmp_path / "wide.png")
    return tmp_path / "wide.png"


@pytest.mark.parametrize(
    ("resize", "left", "middle", "top"),
    [
        ("squeeze", (255, 0, 0), (0, 0, 255), (0, 0, 255)),
        ("pad", (255, 0, 0), (0, 0, 255), (128, 128, 128)),
        ("crop", (0, 0, 255), (0, 0, 255), (0, 0, 255)),
    ],
)
def test_a_picture_becomes_square_by_the_rule_that_was_chosen(
    resize: Resize, left: tuple[int, ...], middle: tuple[int, ...], top: tuple[int, ...], tmp_path: Path
) -> None:
    square = read_image(striped(tmp_path), 32, resize)
    assert [tuple(square[row, column].tolist()) for row, column in ((16, 1), (16, 16), (2, 16))] == [left, middle, top]


def test_another_rule_has_a_cache_of_its_own(pictures: list[Path], tmp_path: Path) -> None:
    squeezed, cropped = (build_cache(pictures, 16, tmp_path / "cache", resize=rule) for rule in ("squeeze", "crop"))
    assert squeezed.folder != cropped.folder
    assert np.array_equal(cropped.open()[0], read_image(pictures[0], 16, "crop"))


def test_a_picture_that_is_postscript_starts_no_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow hands PostScript to Ghostscript, whatever the file's name says."""
    started = tmp_path / "started"
    program = tmp_path / "gs"
    program.write_text(f"#!/bin/sh\ntouch {started}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    picture = tmp_path / "cat.jpg"
    picture.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(UnreadableImage, match=r"cat\.jpg"):
        read_image(picture, 8)
    assert not started.exists()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "TGA", "PCX", "SGI", "JPEG2000"])
def test_a_picture_is_read_by_what_is_in_it_whatever_its_name(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    Image.new("RGB", (16, 16), (250, 10, 10)).save(path, kind)
    assert read_image(path, 8).mean(axis=(0, 1))[0] > 200


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_what_has_no_end_is_no_picture(kind: str, tmp_path: Path) -> None:
    """A pipe named x.jpg stopped a launch for ever, and a link to /dev/zero filled the memory."""
    path = tmp_path / "x.jpg"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(UnreadableImage, match=r"x\.jpg: is no regular file"):
        read_image(path, 8)
    build_cache([path], 8, tmp_path / "cache")  # comes to its end, and names it among those that cannot be read


def test_a_picture_that_is_a_line_or_wide_of_bits_is_refused_by_its_size(tmp_path: Path) -> None:
    Image.new("L", (70_000, 1)).save(tmp_path / "line.png")
    with pytest.raises(UnreadableImage, match="is 70000 x 1, and no side may be longer than 65535; cut it"):
        read_image(tmp_path / "line.png", 8)
    Image.fromarray(np.zeros((5_000, 5_000), np.uint16)).save(tmp_path / "wide.png")
    with pytest.raises(
        UnreadableImage, match="has 25 megapixels, more than the 22 that are read of I;16; make it smaller"
    ):
        read_image(tmp_path / "wide.png", 8)
