"""A bundle as one file: a tar archive, the same bytes for the same bundle, and a reader that trusts nothing in it.

    python export_best.py --archive        python predict.py --bundle ensembles/age.tar --images DIR

The manifest and its hash come first, then every file that the manifest names, in the order of their names. Anything else is
refused before it is written: links, devices, sparse files, absolute paths, `..`, names that the manifest does not have.
"""

import tarfile
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from os import SEEK_CUR
from pathlib import Path, PurePosixPath
from shutil import copyfileobj

from storage.atomic import write_file
from voting.bundle.manifest import MANIFEST, SEAL, open_bundle, read_sealed
from voting.bundle.specs import BundleError

SUFFIX = ".tar"
_LARGEST = 4 * 2**30  # bytes of a member; no model of an image classifier comes near
_LARGEST_MANIFEST = 64 * 2**20
_BLOCK, _SIZE, _TYPE = (
    512,
    slice(124, 136),
    156,
)  # of a tar header: its bytes, where the size stands, and the kind of member


def write_archive(bundle: Path, out: Path) -> None:
    """Write a bundle as one file, all or nothing; nothing in it depends on when, where or by whom.

    Raises:
        BundleError: the bundle is damaged, or a name in it is too long for an archive.
    """
    names = [MANIFEST, SEAL, *sorted(open_bundle(bundle).files)]

    def write(temporary: Path) -> None:
        with tarfile.open(temporary, "w:", format=tarfile.USTAR_FORMAT) as archive:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size, member.mode = (bundle / name).stat().st_size, 0o644
                with open(bundle / name, "rb") as file:
                    archive.addfile(member, file)

    try:
        write_file(out, out.with_name(f".{out.name}.torn"), write)
    except ValueError as error:
        raise BundleError(f"{bundle}: has a name that no archive holds ({error}); export without --archive") from None


def read_archive(path: Path, into: Path) -> Path:
    """Unpack an archive into an empty folder and return the bundle there, opened and checked once.

    Raises:
        BundleError: it is no archive of a bundle, or holds what it must not; names the member.
    """
    bundle = into / path.stem
    bundle.mkdir()
    _refuse_extensions(path)
    try:
        with tarfile.open(path, "r:") as archive:
            named: Collection[str] = (MANIFEST, SEAL)
            for member in archive:
                _check(path, member, bundle)
                if member.name not in named:
                    named = (
                        (MANIFEST, SEAL, *read_sealed(bundle).files) if len(named) == len((MANIFEST, SEAL)) else named
                    )
                if member.name not in named:
                    raise BundleError(f"{path}: {member.name} is none of the files that its manifest names")
                _unpack(archive, member, bundle)
    except BundleError:
        raise
    except (tarfile.TarError, ValueError, OSError) as error:
        raise BundleError(f"{path}: is no archive of a bundle ({error}); export_best.py --archive writes one") from None
    open_bundle(bundle)
    return bundle


@contextmanager
def unpacked(place: Path) -> Iterator[Path]:
    """Yield the folder of a bundle that is a folder or an archive.

    Raises:
        BundleError: see `read_archive`.
    """
    if not place.is_file():
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="bundle.") as folder:
        yield read_archive(place, Path(folder))


def _refuse_extensions(path: Path) -> None:
    """Refuse headers that an archive of a bundle does not have, before a reader believes the sizes that they tell.

    Those of long names, links, sparse files and extended attributes, whatever their size, are read whole by `tarfile`.
    """
    with open(path, "rb") as file:
        while len(header := file.read(_BLOCK)) == _BLOCK and any(header):
            if header[_TYPE] not in b"\x000":
                name = header[:100].partition(b"\x00")[0].decode(errors="replace")
                raise BundleError(f"{path}: {name} is no plain file; a bundle holds nothing else")
            size = _size(header)
            if size is None:
                raise BundleError(f"{path}: is no archive of a bundle; export_best.py --archive writes one")
            file.seek(-(-size // _BLOCK) * _BLOCK, SEEK_CUR)


def _size(header: bytes) -> int | None:
    """Return how many bytes a member has, None where the header does not say that as ours do: a negative size leads back."""
    digits = header[_SIZE].strip(b" \x00") or b"0"
    return int(digits, 8) if digits.isdigit() and not digits.strip(b"01234567") else None


def _check(path: Path, member: tarfile.TarInfo, bundle: Path) -> None:
    """Refuse a member that no bundle has, or that its manifest does not name."""
    name = PurePosixPath(member.name)
    plain = member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and member.sparse is None
    inside = not name.is_absolute() and ".." not in name.parts and "\\" not in member.name and name.parts
    limit = _LARGEST_MANIFEST if member.name in (MANIFEST, SEAL) else _LARGEST
    if not plain:
        raise BundleError(f"{path}: {member.name} is no plain file; a bundle holds nothing else")
    if not inside:
        raise BundleError(f"{path}: {member.name} leaves the bundle; it was not written by export_best.py")
    if member.size > limit:
        raise BundleError(f"{path}: {member.name} has {member.size} bytes, more than any file of a bundle")
    if (bundle / name).exists():
        raise BundleError(f"{path}: holds {member.name} twice")


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, bundle: Path) -> None:
    source = archive.extractfile(member)
    assert source is not None, "it is a plain file"
    target = bundle / member.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with open(target, "xb") as file:
        copyfileobj(source, file)
