"""The check of a study: silent on a whole one, and it names every kind of damage; a repair lets the search go on."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.check.__main__ import check
from analysis.check.folder_checks import folder_findings
from analysis.check.record_checks import record_findings
from datasets.preparation import PreparedData
from studies.record.events import TrialFailed
from studies.record.record import Record, RecordError, read_record
from studies.state.study_state import StudyState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.trials.manifest import FolderError
from tests.toys.searched import search, toy_space, trained_study
from trainables.config import TrainConfig
from voting.candidates.tasks import choose_studies, task_candidates


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, faces: PreparedData) -> Path:
    """A study, trained once for all tests."""
    return trained_study(tmp_path_factory.mktemp("trained"), faces)


@pytest.fixture
def finished(trained: Path, tmp_path: Path) -> StudyFolder:
    """A copy of it, to be damaged."""
    return StudyFolder(Path(shutil.copytree(trained, tmp_path / "study")))


def told(folder: StudyFolder) -> str:
    findings = (*record_findings(folder), *folder_findings(Study.existing(folder)))
    return "\n".join(str(finding) for finding in findings if finding.wrong)


def test_a_whole_study_has_nothing_wrong(finished: StudyFolder) -> None:
    assert check(Study.existing(finished), mend=False) == 0


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "a cut manifest": (lambda study: rewrite(study / "trials/0/manifest.json", lambda text: text[:-40]), "is damaged"),
    "changed weights": (
        lambda study: (study / "trials/0/fold_0/weights.safetensors").write_bytes(b"x"),
        "weights.safetensors was changed",
    ),
    "missing predictions": (
        lambda study: (study / "trials/0/fold_1/predictions.npz").unlink(),
        "predictions.npz is missing",
    ),
    "a folder that is gone": (lambda study: shutil.rmtree(study / "trials/0"), "is gone; the record has 4"),
    "another score": (
        lambda study: rewrite(
            study / "trials/0/fold_0/manifest.json",
            lambda text: text.replace('"score": ', '"score": 1', 1),
        ),
        "recorded is",
    ),
    "another configuration": (
        lambda study: rewrite(
            study / "trials/1/manifest.json", lambda text: text.replace('"batch_size": 16', '"batch_size": 8')
        ),
        "another configuration",
    ),
    "cut predictions": (
        lambda study: (study / "trials/0/fold_1/predictions.npz").write_bytes(b"PK\x03\x04"),
        "predictions.npz was changed",
    ),
    "a manifest that lacks a key": (
        lambda study: rewrite(study / "trials/0/manifest.json", lambda text: text.replace('"digest"', '"digets"', 1)),
        "is damaged",
    ),
    "a configuration that cannot be": (
        lambda study: rewrite(
            study / "trials/0/manifest.json", lambda text: text.replace('"batch_size": 16', '"batch_size": -1')
        ),
        "another configuration than the record",
    ),
    "an empty attempt": (lambda study: (study / "trials/0/fold_0/attempt").write_text(""), "attempt: is damaged"),
    "a folder that was moved aside": (
        lambda study: shutil.copytree(study / "trials/1", study / "trials/1.bad"),
        "is no trial's folder",
    ),
    "a damaged state": (
        lambda study: [path.write_bytes(path.read_bytes()[:-9]) for path in study.glob("trials/*/fold_*/resume/*")],
        "is damaged (",
    ),
    "a trial that nobody added": (
        lambda study: shutil.copytree(study / "trials/1", study / "trials/7"),
        "no such trial",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named_and_repaired_without_deleting_and_the_search_goes_on(
    damage: str, finished: StudyFolder, tiny: TrainConfig
) -> None:
    hurt, complaint = DAMAGE[damage]
    hurt(finished.path)
    assert complaint in told(finished)
    assert check(Study.existing(finished), mend=False) == 1
    check(Study.existing(finished), mend=True)
    assert "is gone" in told(finished) or not told(finished)
    study = search(finished.path, toy_space(tiny), trials=4)
    assert told(finished) == ""
    assert len(study.trials) == 4
    assert study.trials[0].fold_epochs == 4


def test_a_damaged_record_is_refused_with_the_way_out_and_rebuilt_from_what_manifests_know(
    finished: StudyFolder, tiny: TrainConfig
) -> None:
    before = StudyState(read_record(finished.record))
    lines = finished.record.read_bytes().split(b"\n")
    added = next(number for number, line in enumerate(lines) if b'"trial":1' in line and b"trial_added" in line)
    scored = next(number for number, line in enumerate(lines) if b'"trial":0' in line and b"epoch_scored" in line)
    lines[added], lines[scored] = b'{"event": "tri\x00', b"\xff\xff"
    finished.record.write_bytes(b"\n".join(lines))
    with pytest.raises(RecordError, match=r"analysis\.check .* --repair"):
        Record(finished.record)
    assert told(finished).count("cannot be read") == 2
    assert check(Study.existing(finished), mend=True) == 0
    assert (finished.path / "set_aside/record.jsonl.0").read_bytes() == b"\n".join(lines)
    after = search(finished.path, toy_space(tiny))
    assert told(finished) == ""
    assert {trial.number: trial.fold_epochs for trial in after.trials.values()} == {
        trial.number: trial.fold_epochs for trial in before.trials.values()
    }
    assert after.trials[1].configuration == before.trials[1].configuration


LOST_LINES: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "all of them": lambda lines: [],
    "where a trial was added": lambda lines: [
        line for line in lines if b"trial_added" not in line or b'"trial":1' not in line
    ],
    "where a climb ended": lambda lines: [
        line for line in lines if b"climb_ended" not in line or b'"trial":0' not in line
    ],
    "all of the last trial": lambda lines: [line for line in lines if b'"trial":2' not in line],
}


@pytest.mark.parametrize("lost", LOST_LINES)
def test_lines_that_are_gone_from_the_record_are_taken_over_from_the_folders(
    lost: str, finished: StudyFolder, tiny: TrainConfig
) -> None:
    before = StudyState(read_record(finished.record))
    lines = LOST_LINES[lost](finished.record.read_bytes().split(b"\n")[:-1])
    finished.record.write_bytes(b"".join(line + b"\n" for line in lines))
    check(Study.existing(finished), mend=True)
    assert told(finished) == ""
    after = search(finished.path, toy_space(tiny))
    assert told(finished) == ""
    assert {trial.number: (trial.fold_epochs, trial.configuration) for trial in after.trials.values()} == {
        trial.number: (trial.fold_epochs, trial.configuration) for trial in before.trials.values()
    }
    assert not [path for path in finished.path.glob("set_aside/*") if path.is_dir()], "no folder was given up"


def test_a_failed_trial_whose_folder_is_damaged_begins_anew(finished: StudyFolder, tiny: TrainConfig) -> None:
    with Record(finished.record) as record:
        record.append(TrialFailed(time=record.events[-1].time, trial=0, failure="error", reason="so it was"))
    (finished.path / "trials/0/manifest.json").write_text("{")
    check(Study.existing(finished), mend=True)
    assert search(finished.path, toy_space(tiny)).trials[0].failure is None


def test_epochs_that_are_saved_but_not_recorded_are_a_note_and_nothing_wrong(finished: StudyFolder) -> None:
    lines = finished.record.read_bytes().split(b"\n")
    last = max(number for number, line in enumerate(lines) if b"epoch_scored" in line)
    finished.record.write_bytes(b"\n".join(lines[:last]) + b"\n")
    notes = [finding for finding in folder_findings(Study.existing(finished)) if not finding.wrong]
    assert "not recorded yet" in notes[0].message
    assert told(finished) == ""


def test_a_record_that_tells_the_impossible_is_found_out(finished: StudyFolder) -> None:
    with open(finished.record, "a") as file:
        line = {"time": 1.0, "event": "epoch_scored", "trial": 0, "fold": 0, "epoch": 0, "score": 0.5, "seconds": 1.0}
        file.write(json.dumps(line) + "\n")
        file.write(
            json.dumps({"time": 1.0, "event": "climb_ended", "trial": 1, "fold": 0, "attempt": 99, "reason": "rung"})
            + "\n"
        )
    assert "fold 0 epoch 0 came after 2 epochs of that fold" in told(finished)
    assert "ended that never began" in told(finished)


DAMAGED_FILES: dict[str, str] = {
    "splits.json": "{}",
    "data.json": '{"root": 3',
    "samples.csv": "",
    "holdout.csv": "id\n",
    "space.yaml": "task: mask\n",
    "record.jsonl": '{"event": "climb_started", "time": 1, "trial": 9, "rung": 1, "attempt": 1}\n',
}


@pytest.mark.parametrize("name", DAMAGED_FILES)
def test_one_damaged_study_is_named_and_the_others_are_exported(
    name: str, trained: Path, tmp_path: Path, faces: PreparedData
) -> None:
    folders = [StudyFolder(Path(shutil.copytree(trained, tmp_path / study))) for study in ("good", "hurt")]
    for folder in folders:
        faces.holdout().to_csv(folder.holdout, index=False)
        folder.splits.write_text('{"digest": "s"}')
    (folders[1].path / name).write_text(DAMAGED_FILES[name])
    chosen, notes = choose_studies(folders)
    assert [study.folder.name for study in chosen] == ["good"]
    assert len(task_candidates(chosen)) == 1
    (note,) = notes
    assert str(folders[1].path) in note or name in note


@pytest.mark.parametrize("name", ["fold_0/predictions.npz", "fold_1/weights.safetensors", "manifest.json"])
def test_one_damaged_trial_is_left_out_by_name_and_refused_where_its_study_is_named(
    name: str, trained: Path, tmp_path: Path, faces: PreparedData
) -> None:
    folder = StudyFolder(Path(shutil.copytree(trained, tmp_path / "hurt")))
    faces.holdout().to_csv(folder.holdout, index=False)
    folder.splits.write_text('{"digest": "s"}')
    (whole,), _ = choose_studies([folder])
    first = whole.trials[0].number
    (folder.trials / str(first) / name).write_text("")
    (left,), notes = choose_studies([folder])
    assert [trial.number for trial in left.trials] == [trial.number for trial in whole.trials[1:]]
    (note,) = notes
    assert f"left out: hurt trial {first}" in note
    with pytest.raises(FolderError, match=Path(name).name):
        choose_studies([folder], named=True)
