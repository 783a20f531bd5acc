"""A bundle as one file: the same bytes again, and nothing in it is trusted."""

import io
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from studies.trials.manifest import sha256_of
from tests.voting.test_voting import bundle  # noqa: F401
from voting.bundle.archive import read_archive, unpacked, write_archive
from voting.bundle.manifest import MANIFEST, SEAL, free_name, newest_bundle, open_bundle, seal
from voting.bundle.specs import BundleError


def test_an_archive_is_the_same_to_the_byte_and_opens_as_the_bundle(bundle: Path, tmp_path: Path) -> None:  # noqa: F811
    for name in ("one", "other"):
        write_archive(bundle, tmp_path / f"{name}.tar")
        for path in bundle.rglob("*"):
            path.touch()
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()
    with unpacked(tmp_path / "one.tar") as folder:
        assert open_bundle(folder) == open_bundle(bundle)
    assert not folder.exists()
    with unpacked(bundle) as folder:
        assert folder == bundle


def member(
    name: str, kind: bytes = tarfile.REGTYPE, link: str = "", content: bytes = b"x"
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, len(content) if kind == tarfile.REGTYPE else 0
    return info, content


HOSTILE: dict[str, tuple[tuple[tarfile.TarInfo, bytes], str]] = {
    "a link": (member("mask/link", tarfile.SYMTYPE, "/etc/passwd"), "is no plain file"),
    "a hard link": (member("mask/link", tarfile.LNKTYPE, MANIFEST), "is no plain file"),
    "a device": (member("mask/null", tarfile.CHRTYPE), "is no plain file"),
    "a folder": (member("mask", tarfile.DIRTYPE), "is no plain file"),
    "an absolute path": (member("/tmp/evil"), "leaves the bundle"),
    "a path that climbs": (member("mask/../../evil"), "leaves the bundle"),
    "an unknown member": (member("mask/more.bin"), "none of the files that its manifest names"),
    "an extension that tells another size": (member("x", tarfile.XHDTYPE), "is no plain file"),
    "a long name": (member("x", tarfile.GNUTYPE_LONGNAME), "is no plain file"),
    "a member twice": (member(MANIFEST), "twice"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_no_bundle_has_is_refused_before_it_is_written(kind: str, bundle: Path, tmp_path: Path) -> None:  # noqa: F811
    (info, content), complaint = HOSTILE[kind]
    path = tmp_path / "bad.tar"
    write_archive(bundle, path)
    with tarfile.open(path, "a:") as archive:
        archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError, match=complaint):
        read_archive(path, tmp_path / "into")
    assert not (tmp_path / "evil").exists()


def test_an_oversized_member_is_refused(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    write_archive(bundle, tmp_path / "big.tar")
    monkeypatch.setattr("voting.bundle.archive._LARGEST", 1000)
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError, match="more than any file of a bundle"):
        read_archive(tmp_path / "big.tar", tmp_path / "into")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def rubbish(path: Path) -> None:
    path.write_bytes(b"no archive at all" * 100)


def without_a_member(path: Path) -> None:
    with tarfile.open(path) as archive:
        kept = [(one, archive.extractfile(one).read()) for one in archive if not one.name.endswith("fold1.safetensors")]  # type: ignore[union-attr]
    with tarfile.open(path, "w:") as archive:
        for info, content in kept:
            archive.addfile(info, io.BytesIO(content))


def manifest_last(path: Path) -> None:
    with tarfile.open(path) as archive:
        kept = [(one, archive.extractfile(one).read()) for one in archive]  # type: ignore[union-attr]
    with tarfile.open(path, "w:") as archive:
        for info, content in sorted(kept, key=lambda one: one[0].name in (MANIFEST, SEAL)):
            archive.addfile(info, io.BytesIO(content))


@pytest.mark.parametrize("damage", [cut, rubbish, without_a_member, manifest_last])
def test_a_damaged_archive_is_refused(damage: Callable[[Path], None], bundle: Path, tmp_path: Path) -> None:  # noqa: F811
    write_archive(bundle, tmp_path / "bad.tar")
    damage(tmp_path / "bad.tar")
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError):
        read_archive(tmp_path / "bad.tar", tmp_path / "into")


@pytest.mark.parametrize("content", ["[]", "null", "[" * 100_000, '"text"'])
def test_a_manifest_that_is_no_object_is_refused(content: str, bundle: Path) -> None:  # noqa: F811
    (bundle / MANIFEST).write_text(content)
    (bundle / SEAL).write_text(sha256_of(bundle / MANIFEST))
    with pytest.raises(BundleError, match="is no manifest"):
        open_bundle(bundle)


def test_a_name_is_free_only_if_no_archive_has_it(tmp_path: Path) -> None:
    (tmp_path / "age.tar").touch()
    assert free_name(tmp_path, "age") == "age-2"


@pytest.mark.parametrize(("name", "most"), [(MANIFEST, 64 * 2**20), ("mask/model.bin", 4 * 2**30)])
@pytest.mark.parametrize("beyond", [0, 1])
def test_a_member_that_says_it_is_larger_than_any_of_a_bundle_is_refused(
    name: str, most: int, beyond: int, tmp_path: Path
) -> None:
    """What it says is all that is there: nothing is read, or written, before that."""
    info = tarfile.TarInfo(name)
    info.size = most + beyond
    (tmp_path / "large.tar").write_bytes(info.tobuf(tarfile.USTAR_FORMAT) + bytes(1024))
    (tmp_path / "into").mkdir()
    with pytest.raises(BundleError) as raised:
        read_archive(tmp_path / "large.tar", tmp_path / "into")
    assert (f"{name} has {most + beyond} bytes, more than any file of a bundle" in str(raised.value)) is bool(beyond)


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "..", "a/"])
def test_a_bundle_is_called_by_a_plain_folder_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="must be a plain folder name"):
        free_name(tmp_path, name)


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ((0.0, 1.0), True),
        ((0.5, 0.5), True),
        ((), True),
        ((1e-6, 1e-6), True),
        ((1e6, 1.0), True),
        ((-0.1, 1.1), False),
        ((0.0, 0.0), False),
        ((1.0,), False),
        ((0.2, 0.3, 0.5), False),
        ((1e-7, 1e-7), False),
        ((2e6, 1.0), False),
    ],
)
def test_weights_are_shares_of_a_vote_one_for_each(given: tuple[float, ...], right: bool, bundle: Path) -> None:  # noqa: F811
    found = open_bundle(bundle)
    member_of = found.tasks[0].members[0]
    task = found.tasks[0].model_copy(update={"weights": given, "members": (member_of, member_of)})
    seal(bundle, found.model_copy(update={"tasks": (task,)}))
    if right:
        assert open_bundle(bundle).tasks[0].weights == given
    else:
        with pytest.raises(BundleError, match="weights of mask must be 2 shares of a vote"):
            open_bundle(bundle)


def test_the_newest_bundle_is_the_one_whose_manifest_was_written_last(bundle: Path, tmp_path: Path) -> None:  # noqa: F811
    place = tmp_path / "ensembles"
    with pytest.raises(BundleError, match=r"holds no bundle; run export_best\.py first"):
        newest_bundle(place)
    for number, name in enumerate(("b", "c", "a")):
        shutil.copytree(bundle, place / name)
        os.utime(place / name / MANIFEST, (number, number))
    assert newest_bundle(place) == place / "a"


def test_what_lies_beyond_the_end_of_an_archive_is_no_part_of_it(bundle: Path, tmp_path: Path) -> None:  # noqa: F811
    write_archive(bundle, tmp_path / "longer.tar")
    beyond = tarfile.TarInfo("evil")
    beyond.type = tarfile.SYMTYPE
    with open(tmp_path / "longer.tar", "ab") as file:
        file.write(bytes(512) + beyond.tobuf(tarfile.USTAR_FORMAT))
    with unpacked(tmp_path / "longer.tar") as folder:
        assert open_bundle(folder) == open_bundle(bundle)


@pytest.mark.parametrize("name", [MANIFEST, SEAL])
def test_a_folder_without_its_manifest_or_its_seal_is_no_bundle(name: str, bundle: Path) -> None:  # noqa: F811
    (bundle / name).unlink()
    with pytest.raises(BundleError, match="is no bundle"):
        open_bundle(bundle)


def test_a_bundle_of_another_version_is_refused_with_the_formats_that_are_read(bundle: Path) -> None:  # noqa: F811
    later = (bundle / MANIFEST).read_text().replace('"format": 5', '"format": 99')
    (bundle / MANIFEST).write_text(later)
    (bundle / SEAL).write_text(sha256_of(bundle / MANIFEST))
    with pytest.raises(BundleError, match=r"is of format 99, this version reads formats 3 to 5"):
        open_bundle(bundle)
