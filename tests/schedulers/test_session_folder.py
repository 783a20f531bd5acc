"""Ray's logs and sockets lie in a folder that no other user may enter, and no other user can prepare."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from schedulers.ray.private_names import ClusterError
from schedulers.ray.session_folder import session_folder


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A short path, as sockets want it, that Ray is told to use."""
    with TemporaryDirectory(dir="/tmp") as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def test_the_folder_is_closed_to_others_also_where_it_stood_open(place: Path) -> None:
    folder = session_folder()
    assert (folder.parent, folder.stat().st_mode & 0o777) == (place, 0o700)
    folder.chmod(0o777)
    assert session_folder().stat().st_mode & 0o777 == 0o700


def test_a_folder_that_somebody_else_prepared_is_refused(place: Path) -> None:
    """Whoever puts a link there would read what is written behind it."""
    folder = session_folder()
    folder.rmdir()
    (place / "elsewhere").mkdir()
    folder.symlink_to(place / "elsewhere")
    with pytest.raises(ClusterError, match="belongs to somebody else; set RAY_TMPDIR to a folder of yours"):
        session_folder()


def test_a_path_that_is_too_long_for_sockets_is_refused_where_it_was_asked_for_and_passed_over_where_not(
    monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    long = place / ("x" * 60)
    monkeypatch.setenv("RAY_TMPDIR", str(long))
    with pytest.raises(ClusterError, match="RAY_TMPDIR: sockets lie below"):
        session_folder()
    monkeypatch.delenv("RAY_TMPDIR")
    monkeypatch.setenv("TMPDIR", str(long))
    assert session_folder().parent == Path("/tmp")
