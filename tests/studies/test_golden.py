"""A study and a bundle that an earlier version wrote open in this one, and mean what they meant.

`tests/golden/` was written by this version's commands on `golden.yaml`. It is never written anew: whoever changes a format or a
default keeps it readable, or raises the format and adds a second one.
"""

import csv
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import predict
from analysis.check.__main__ import check
from analysis.leaderboard.rows import leaderboard
from launch.resolve import brought_up_to_date
from plugins.loading import unload_plugin
from schedulers.search_settings import make_ladder
from search_spaces import SearchSpace
from studies.events import EpochScored
from studies.manifest import FormatError, sha256_of
from studies.record import RecordError, read_record
from studies.study_folder import Identity, StudyError, StudyFolder
from studies.study_state import StudyState
from tests.toys import ROOT
from trainables.config import configured
from voting.bundle.manifest import open_bundle
from voting.bundle.specs import BundleError
from voting.candidates.studies import read_finished

GOLDEN = ROOT / "tests/golden"


@pytest.fixture
def study(tmp_path: Path) -> Iterator[StudyFolder]:
    shutil.copytree(GOLDEN / "study", tmp_path / "golden")
    yield StudyFolder(tmp_path / "golden")
    unload_plugin("tiny_net")


def stored(study: StudyFolder) -> tuple[SearchSpace, StudyState]:
    study.load_plugins()
    return study.stored_space(), StudyState(read_record(study.record))


def test_a_stored_study_is_whole_and_its_leaderboard_is_as_it_was(study: StudyFolder) -> None:
    assert check(study, mend=False) == 0
    space, state = stored(study)
    rows = leaderboard(state, make_ladder(space), space.metric)
    assert [(row.trial, row.origin, row.fold_epochs, round(row.score, 6)) for row in rows] == [
        (1, "tpe", 6, 0.277778),
        (2, "tpe", 6, 0.277778),
        (0, "recipe", 6, 0.148871),
        (3, "tpe", 1, 0.083333),
        (4, "tpe", 1, 0.083333),
    ]


def test_a_stored_study_can_be_exported_from(study: StudyFolder) -> None:
    finished = read_finished(study)
    assert [trial.number for trial in finished.trials] == [0, 1, 2]
    assert finished.recipe is not None


def test_the_configurations_of_a_stored_study_have_the_hashes_they_had(study: StudyFolder) -> None:
    _, state = stored(study)
    for trial in state.trials.values():
        manifest = json.loads((study.trials / f"{trial.number}/manifest.json").read_text())
        assert configured(trial.configuration).digest == manifest["digest"]


def test_a_launch_goes_on_with_a_stored_study_also_where_it_lacks_a_knob_of_today(study: StudyFolder) -> None:
    space, _ = stored(study)
    older = space.model_copy(update={"defaults": {k: v for k, v in space.defaults.items() if k != "drop_rate"}})
    today = brought_up_to_date(space)
    data, splits = json.loads(study.data.read_text()), json.loads(study.splits.read_text())
    identity = Identity(today, data, splits, study.fold_order(), study.plugin_digests())
    study.refuse_another(identity, brought_up_to_date(older))


def test_a_record_of_a_later_version_is_refused_with_the_way_out(study: StudyFolder) -> None:
    lines = study.record.read_text().splitlines()
    study.record.write_text("\n".join([lines[0].replace('"format":1', '"format":5'), *lines[1:], ""]))
    with pytest.raises(
        RecordError, match=r"line 1 is of format 5, this version of Foldrace reads formats up to 4; go on with the"
    ):
        list(read_record(study.record))


def test_a_later_version_is_no_damage_and_a_check_mends_nothing(study: StudyFolder) -> None:
    record, manifest = study.record.read_text(), study.trials / "0/manifest.json"
    study.record.write_text(record.replace('"format":1', '"format":5,"new_field":1', 1))
    with pytest.raises(RecordError, match="is of format 5"):
        check(study, mend=True)
    study.record.write_text(record)
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 2'))
    with pytest.raises(FormatError, match=r"manifest\.json: is of format 2, .*take the version that wrote it"):
        check(study, mend=True)
    study.begun.write_text('{"format": 3, "order": "x"}')
    with pytest.raises(StudyError, match="is of format 3, this version of Foldrace reads format 2"):
        study.stored_space()


def test_every_line_of_a_stored_record_is_read(study: StudyFolder) -> None:
    events = list(read_record(study.record))
    assert sum(isinstance(event, EpochScored) for event in events) == 20


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
    with pytest.raises(BundleError, match=r"is of format 99, this version reads formats 3 to 4; take the version that"):
        open_bundle(tmp_path / "bundle")


def reseal(bundle: Path) -> None:
    """Write the manifest's hash anew."""
    (bundle / "manifest.sha256").write_text(sha256_of(bundle / "manifest.json") + "\n")
