"""What was written is on the disk, file and name, before anything depends on it."""

import os
from pathlib import Path

import pytest

from storage.atomic import put_folder, write_file, write_text
from studies.identity import Identity
from studies.record.record import Record
from studies.study import begin_or_continue
from studies.study_folder import StudyFolder
from tests.toys.search import toy_space


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files and folders that were synced, in order."""
    names: list[str] = []
    real = os.fsync

    def spy(handle: int) -> None:
        names.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", spy)
    return names


def test_a_file_is_synced_before_it_is_renamed_and_its_folder_afterwards(tmp_path: Path, synced: list[str]) -> None:
    write_text(tmp_path / "a.txt", "old")
    write_text(tmp_path / "a.txt", "new")
    assert (tmp_path / "a.txt").read_text() == "new"
    assert synced == [str(tmp_path / ".a.txt.torn"), str(tmp_path)] * 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_must_not_be_replaced_any_more_stays_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("old")

    def refuse() -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_file(tmp_path / "a.txt", tmp_path / "b", lambda temporary: temporary.write_text("new"), refuse)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a.txt": "old"}


def test_a_study_exists_once_the_disk_has_its_space_and_everything_before_it(tmp_path: Path, synced: list[str]) -> None:
    folder = StudyFolder(tmp_path / "results/toy")
    folder.lock().release()
    assert synced[:2] == [str(tmp_path), str(tmp_path / "results")], "the names of both new folders"
    synced.clear()
    identity = Identity(toy_space(), {"images": "a", "labels": "l"}, {"digest": "s"})
    begin_or_continue(folder, identity, {"more.csv": "x"})
    assert [Path(name).name for name in synced[::2]] == [
        ".more.csv.torn",
        ".data.json.torn",
        ".study.json.torn",
        ".splits.json.torn",
        ".space.yaml.torn",
    ]
    assert set(synced[1::2]) == {str(folder.path)}


def test_a_new_record_has_its_name_on_the_disk(tmp_path: Path, synced: list[str]) -> None:
    Record(tmp_path / "record.jsonl").close()
    assert synced == [str(tmp_path)]


def test_a_finished_folder_is_on_the_disk_under_its_name(tmp_path: Path, synced: list[str]) -> None:
    (tmp_path / "making").mkdir()
    put_folder(tmp_path / "making", tmp_path / "made")
    assert (tmp_path / "made").is_dir()
    assert synced == [str(tmp_path)]
