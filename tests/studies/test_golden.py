"""Studies and a bundle that earlier versions wrote open in this one, and mean what they meant.

`tests/golden/` was written by the commands of the version of each record format, on `golden.yaml`. It is never written anew:
whoever changes a format or a default keeps it readable, or raises the format and adds a study.
"""

import csv
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import predict
from analysis import compare, export_config, show
from analysis.check.__main__ import check
from analysis.leaderboard import __main__ as leaderboard_command
from analysis.leaderboard.rows import leaderboard
from analysis.page.contents.followed import FollowedStudies
from analysis.reading.opened import open_study
from datasets.preparation import PreparedData
from launch import control
from launch.resolve import brought_up_to_date, effective
from plugins.loading import unload_plugin
from plugins.sources import plugin_at
from plugins.trust import trust
from schedulers.study_run import StudyRun
from studies.errors import RecordError, StudyError
from studies.identity import Identity
from studies.record.events import RECORD_FORMAT, EpochScored, Launched, RungReached
from studies.record.record import Record, read_record
from studies.state.study_state import StudyState
from studies.study import Study
from studies.study_folder import StudyFolder
from studies.trials.climb_order import ClimbOrder
from studies.trials.manifest import FolderError, FormatError, sha256_of
from studies.trials.stored_trial import read_trial
from studies.trials.trial_folders import TrialFolders
from tests.toys import ROOT
from trainables.climber import Climber, shared_fold_data
from trainables.config import configured
from trainables.training.devices import Resources
from trainables.training.images.fold_data import DECODED
from voting.bundle.manifest import open_bundle
from voting.bundle.specs import BundleError
from voting.candidates.studies import read_candidates

GOLDEN = ROOT / "tests/golden"
FORMATS = {1: "study", **{number: f"format_{number}" for number in range(2, RECORD_FORMAT + 1)}}
Folder = Callable[[int], StudyFolder]
every_format = pytest.mark.parametrize("number", FORMATS)


@pytest.fixture
def folder_of(tmp_path: Path) -> Iterator[Folder]:
    """Return a copy of the study of a format."""

    def copied(number: int) -> StudyFolder:
        shutil.copytree(GOLDEN / FORMATS[number], tmp_path / "results/golden")
        for plugin in (tmp_path / "results/golden/plugins").glob("*.py"):
            trust(plugin_at(plugin))  # as the launch that began it did
        return StudyFolder(tmp_path / "results/golden")

    yield copied
    unload_plugin("tiny_net")


@pytest.fixture
def study(folder_of: Folder) -> StudyFolder:
    """The study of format 1."""
    return folder_of(1)


@every_format
def test_a_stored_study_is_whole(folder_of: Folder, number: int) -> None:
    study = Study.existing(folder_of(number))
    launches = [event for event in study.events() if isinstance(event, Launched)]
    assert {launch.format for launch in launches} == {number}
    assert check(study, mend=False) == 0


def test_the_leaderboard_of_a_stored_study_is_as_it_was(study: StudyFolder) -> None:
    opened = open_study(study.path)
    rows = leaderboard(opened.state, opened.rungs, opened.space.metric)
    assert [(row.trial, row.origin, row.fold_epochs, round(row.score, 6)) for row in rows] == [
        (1, "tpe", 6, 0.277778),
        (2, "tpe", 6, 0.277778),
        (0, "recipe", 6, 0.148871),
        (3, "tpe", 1, 0.083333),
        (4, "tpe", 1, 0.083333),
    ]
    assert [tuple(rung) for rung in opened.rungs.levels] == [(1, 1), (1, 2), (1, 3), (2, 3)]


@every_format
def test_a_stored_study_can_be_exported_from(folder_of: Folder, number: int) -> None:
    finished = read_candidates(folder_of(number))
    assert 0 in [trial.number for trial in finished.trials]
    assert finished.recipe is not None
    assert all(trial.stored.voting_folds for trial in finished.trials)


@every_format
def test_whoever_only_reads_a_stored_study_runs_none_of_its_code(
    folder_of: Folder, number: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = folder_of(number)
    (folder.plugins / "tiny_net.py").write_text("raise SystemExit('this plugin was imported')\n")
    commands: list[tuple[Callable[[], int], tuple[str, ...]]] = [
        (leaderboard_command.main, ("--json",)),
        (show.main, ("0",)),
        (compare.main, ("0", "1")),
        (export_config.main, ("1", "--out", str(tmp_path / "one.yaml"))),
    ]
    for main, options in commands:
        monkeypatch.setattr(sys, "argv", ["command", str(folder.path), *options])
        assert main() == 0, capsys.readouterr().out
    assert check(Study.existing(folder), mend=False) == 0
    page = FollowedStudies(folder.path.parent)
    said = page.study("golden")
    assert "broken" not in said, said
    assert said["status"] == ("finished" if number == RECORD_FORMAT else "stopped")
    assert page.overview()["broken"] == []


def test_a_study_of_a_plugins_metric_and_strategy_is_shown_by_what_its_record_says(
    folder_of: Folder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = folder_of(RECORD_FORMAT)
    (folder.plugins / "tiny_net.py").write_text("raise SystemExit('this plugin was imported')\n")
    record = folder.record.read_text().replace('"name":"macro_f1","title":"macro F1"', '"name":"kappa","title":"Kappa"')
    folder.record.write_text(record.replace('"strategy":{"name":"fold_ladder"', '"strategy":{"name":"own_ladder"'))
    folder.space.write_text(folder.space.read_text().replace("\nmetric: macro_f1", "\nmetric: kappa"))
    for main, options in ((leaderboard_command.main, ()), (show.main, ("0",)), (compare.main, ("0", "1"))):
        monkeypatch.setattr(sys, "argv", ["command", str(folder.path), *options])
        assert main() == 0, capsys.readouterr().out
        assert "Kappa" in capsys.readouterr().out
    assert check(Study.existing(folder), mend=False) == 0
    assert "scores were not checked: the metric kappa is of a plugin" in capsys.readouterr().out
    page = FollowedStudies(folder.path.parent)
    assert "broken" not in page.study("golden"), page.study("golden")
    assert page.overview()["broken"] == []


@every_format
def test_a_configuration_with_a_knob_of_its_plugin_can_be_added(
    folder_of: Folder, number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = folder_of(number)
    (tmp_path / "mine.yaml").write_text("- {learning_rate: 2.0e-3, width: 12}\n")
    monkeypatch.setattr(sys, "argv", ["control", str(folder.path), "add", str(tmp_path / "mine.yaml")])
    assert control.main() == 0


@every_format
def test_a_stored_study_is_gone_on_with_and_what_was_finished_stays(
    folder_of: Folder, number: int, faces: PreparedData
) -> None:
    folder = folder_of(number)
    before = list(read_record(folder.record))
    stored = {path: sha256_of(path) for path in folder.trials.rglob("*.safetensors") if "resume" not in path.parts}
    after = continued(folder, faces, trials=8)
    assert list(read_record(folder.record))[: len(before)] == before
    assert len(after.trials) == 8
    assert all(sha256_of(path) == digest for path, digest in stored.items()), "no finished fold is trained again"
    assert not any(trial.failure for trial in after.trials.values())
    assert check(Study.existing(folder), mend=False) == 0
    assert len(read_candidates(folder).trials) >= len(
        [t for t in StudyState(before).trials.values() if t.fold_epochs == 6]
    )


def continued(folder: StudyFolder, faces: PreparedData, trials: int) -> StudyState:
    """Go on with a study of the drawn faces in this process, one climb at a time."""
    faces.samples().to_csv(folder.samples, index=False)
    folder.data.write_text(json.dumps(faces.facts()))
    (folder.path / DECODED).write_text(json.dumps(faces.decoded))
    study = Study.existing(folder)
    study.load_plugins()
    shared_fold_data.cache_clear()
    space = brought_up_to_date(study.space)
    space = space.model_copy(update={"search": space.search.model_copy(update={"trials": trials, "sampler": "random"})})
    with Record(folder.record) as record:
        run = StudyRun(record, space, 1, effective=effective)
        run.start({}, TrialFolders(folder.path), launch="again")
        while (order := run.next_climb()) is not None:
            climber = Climber(folder.path, order, Resources())
            done = False
            while not done:
                result = climber.step()
                assert "failure" not in result, result
                run.take_epoch(order, result)
                done = result["done"]
            climber.close()
            run.end_climb(order)
        run.close()
        return run.state


def test_a_fold_whose_manifest_is_gone_is_named_with_the_way_out(folder_of: Folder, faces: PreparedData) -> None:
    folder = folder_of(RECORD_FORMAT)
    (folder.trials / "1/fold_1/manifest.json").unlink()
    with pytest.raises(FolderError, match=r"trial 1 fold 2 has files but no manifest.json; restore it, or .* --repair"):
        continued(folder, faces, trials=8)
    (left_out,) = read_candidates(folder).damaged
    assert "trial 1" in left_out
    assert "fold 2" in left_out


def test_a_state_of_the_former_layout_is_gone_on_with_to_the_same_digit(folder_of: Folder, faces: PreparedData) -> None:
    folder = folder_of(4)
    resting = next(
        stored for n in range(6) if (stored := read_trial(folder.path, n)) and 0 < stored.parts[0].trained < 3
    )
    record = [event for event in read_record(folder.record) if getattr(event, "trial", None) == resting.trial]
    folder.data.write_text(json.dumps(faces.facts()))
    faces.samples().to_csv(folder.samples, index=False)
    (folder.path / DECODED).write_text(json.dumps(faces.decoded))
    Study.existing(folder).load_plugins()
    shared_fold_data.cache_clear()
    for path in (folder.path, Path(shutil.copytree(folder.path, folder.path.parent / "anew"))):
        if path.name == "anew":
            shutil.rmtree(path / "trials" / str(resting.trial))
        climber = Climber(path, ClimbOrder(resting.trial, 0, 3, 99, record[0].configuration), Resources())
        while not climber.step()["done"]:
            pass
        climber.close()
    went_on, anew = (read_trial(path, resting.trial) for path in (folder.path, folder.path.parent / "anew"))
    assert went_on is not None
    assert anew is not None
    assert [line.score for line in went_on.parts[0].curve] == [line.score for line in anew.parts[0].curve]
    name = "fold_0/weights.safetensors"
    assert went_on.files[name] == anew.files[name]
    assert not [*(folder.path / "trials" / str(resting.trial) / "resume").iterdir()], "the state has done its work"


def test_a_former_record_says_what_todays_would() -> None:
    """Climbs of a whole trial become climbs of folds; the pooled score of every fold-epoch becomes that of a rung."""
    events = list(read_record(GOLDEN / "study/record.jsonl"))
    state = StudyState(events)
    recipe = state.trials[0]
    assert recipe.progress == {0: 3, 1: 3}
    assert sorted(recipe.scores) == [(1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3)]
    assert not recipe.climbing
    assert sum(isinstance(event, EpochScored) for event in events) == 20
    assert sum(isinstance(event, RungReached) for event in events) == 20


def test_a_jump_of_the_clock_in_a_former_record_counts_for_no_more_than_an_epoch(study: StudyFolder) -> None:
    whole = StudyState(read_record(study.record)).elapsed
    lines = [json.loads(line) for line in study.record.read_text().splitlines()]
    for line in lines[20:26]:
        line["time"] += 86_400  # and back again
    study.record.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    assert abs(StudyState(read_record(study.record)).elapsed - whole) < 70


@every_format
def test_the_configurations_of_a_stored_study_have_the_hashes_they_had(folder_of: Folder, number: int) -> None:
    study = Study.existing(folder_of(number))
    study.load_plugins()
    for trial in StudyState(study.events()).trials.values():
        manifest = json.loads((study.folder.trials / f"{trial.number}/manifest.json").read_text())
        assert configured(trial.configuration).digest == manifest["digest"]


def test_a_launch_goes_on_with_a_stored_study_also_where_it_lacks_a_knob_of_today(study: StudyFolder) -> None:
    stored = Study.existing(study)
    space = stored.space
    older = space.model_copy(update={"defaults": {k: v for k, v in space.defaults.items() if k != "drop_rate"}})
    today = brought_up_to_date(space)
    data, splits = json.loads(study.data.read_text()), json.loads(study.splits.read_text())
    stored.refuse_another(Identity(today, data, splits, stored.plugins), brought_up_to_date(older))


def test_a_record_of_a_later_version_is_refused_with_the_way_out(study: StudyFolder) -> None:
    lines = study.record.read_text().splitlines()
    later = RECORD_FORMAT + 1
    study.record.write_text("\n".join([lines[0].replace('"format":1', f'"format":{later}'), *lines[1:], ""]))
    with pytest.raises(
        RecordError,
        match=rf"line 1 is of format {later}, this version of Foldrace reads formats up to {RECORD_FORMAT}; go on with the",
    ):
        list(read_record(study.record))


def test_a_later_version_is_no_damage_and_a_check_mends_nothing(study: StudyFolder) -> None:
    record, manifest = study.record.read_text(), study.trials / "0/manifest.json"
    study.record.write_text(record.replace('"format":1', '"format":99,"new_field":1', 1))
    with pytest.raises(RecordError, match="is of format 99"):
        check(Study.existing(study), mend=True)
    study.record.write_text(record)
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(FormatError, match=r"manifest\.json: is of format 99, .*take the version that wrote it"):
        check(Study.existing(study), mend=True)
    study.begun.write_text('{"format": 99, "order": "x"}')
    with pytest.raises(StudyError, match="is of format 99, this version of Foldrace reads formats 2 to 3"):
        Study.existing(study)


def test_a_stored_bundle_votes_as_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, out = GOLDEN / "bundle", tmp_path / "votes.csv"
    command = ["predict.py", "--bundle", str(bundle), "--images", str(GOLDEN / "images"), "--out", str(out)]
    monkeypatch.setattr("sys.argv", [*command, "--plugin", str(bundle / "plugins/tiny_net.py")])
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    for _ in range(2):  # the first leaves nothing in the bundle that the second would refuse
        assert predict.main() == 0
        unload_plugin("tiny_net")
    with open(GOLDEN / "votes.csv") as before, open(out) as now:
        for one, other in zip(csv.DictReader(before), csv.DictReader(now), strict=True):
            assert [one["image"], one["mask"]] == [other["image"], other["mask"]]
            assert float(one["mask_wear"]) == pytest.approx(float(other["mask_wear"]), abs=1e-4)


def test_a_bundle_of_another_format_is_refused_with_the_way_out(tmp_path: Path) -> None:
    shutil.copytree(GOLDEN / "bundle", tmp_path / "bundle")
    manifest = tmp_path / "bundle/manifest.json"
    manifest.write_text(manifest.read_text().replace('"format": 3', '"format": 99'))
    reseal(tmp_path / "bundle")
    with pytest.raises(BundleError, match=r"is of format 99, this version reads formats 3 to 5; take the version that"):
        open_bundle(tmp_path / "bundle")


def reseal(bundle: Path) -> None:
    """Write the manifest's hash anew."""
    (bundle / "manifest.sha256").write_text(sha256_of(bundle / "manifest.json") + "\n")
