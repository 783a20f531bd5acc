"""Votes are means, the best by out-of-fold score vote, and a bundle that was touched is refused."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

import predict as predict_command
from analysis.export.comparison import Outcome, compare, shared_rows
from datasets.images import Form
from plugins import PluginError
from storage.tensors import save_state
from studies.metrics import METRICS, macro_f1
from studies.trials.predictions import FoldPredictions
from tests.toys import ROOT
from tests.toys.training import TINY
from trainables.config import TrainConfig
from trainables.training.models import make_model
from voting.bundle.manifest import open_bundle, seal
from voting.bundle.specs import BundleError, BundleManifest, MemberSpec, TaskSpec
from voting.bundle.verification import check_member
from voting.predicting.inputs import find_images, read_labels, write_submission
from voting.predicting.runtime import load_task, read_images, vote
from voting.promise.spread import person_bootstrap
from voting.rules.joint import JOINT, joint_class, joint_votes
from voting.rules.soft import soft_vote
from voting.rules.vote import Rule


@given(st.lists(arrays(float, (4, 3), elements=st.floats(0.01, 1)), min_size=1, max_size=5))
def test_a_soft_vote_of_probabilities_is_one_and_lies_between_its_members(members: list[np.ndarray]) -> None:
    members = [member / member.sum(axis=1, keepdims=True) for member in members]
    voted = soft_vote(members)
    assert np.allclose(voted.sum(axis=1), 1)
    assert (voted <= np.max(members, axis=0) + 1e-12).all()
    assert (voted >= np.min(members, axis=0) - 1e-12).all()
    assert np.allclose(voted, soft_vote(members[::-1]))


def test_a_vote_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one member"):
        Rule()([])


def test_the_most_probable_joint_class_is_composed_of_the_most_probable_ones() -> None:
    generator = np.random.default_rng(0)
    votes = {task: generator.dirichlet(np.ones(n), 50) for task, n in (("mask", 3), ("gender", 2), ("age", 3))}
    joint = joint_votes(votes)
    assert np.allclose(joint.sum(axis=1), 1)
    single = {task: one.argmax(axis=1) for task, one in votes.items()}
    assert joint.argmax(axis=1).tolist() == joint_class(single).tolist()


def test_a_bundle_votes_by_the_rule_that_it_names(bundle: Path, tmp_path: Path) -> None:
    manifest = open_bundle(bundle)
    task = manifest.tasks[0].model_copy(update={"vote": "loudest"})
    images = find_images(tmp_path / "images")
    with pytest.raises(PluginError, match="no vote rule 'loudest'; Valid: soft, hard, rank"):
        vote(load_task(task, bundle), images.paths, task)


def test_the_eighteen_classes_are_all_different() -> None:
    grid = np.array([(mask, gender, age) for mask in range(3) for gender in range(2) for age in range(3)])
    classes = joint_class(dict(zip(("mask", "gender", "age"), grid.T, strict=True)))
    assert classes.tolist() == list(range(18))


def test_the_spread_over_persons_is_wider_than_over_images_that_stick_together() -> None:
    generator = np.random.default_rng(0)
    right = np.repeat(generator.random(30) < 0.7, 7)
    targets = np.repeat(np.arange(30) % 2, 7)
    predicted = np.where(right, targets, 1 - targets)
    persons = np.repeat(np.arange(30), 7).astype(str)
    images = np.arange(210).astype(str)
    votes = np.eye(2, dtype=np.float32)[predicted]
    assert person_bootstrap(macro_f1, targets, votes, persons) > 1.5 * person_bootstrap(
        macro_f1, targets, votes, images
    )


def test_voters_are_compared_on_the_images_that_all_tasks_share() -> None:
    first, second = np.array(["a", "b", "d"]), np.array(["b", "c", "d"])
    rows = shared_rows([first, second])
    assert first[rows[0]].tolist() == second[rows[1]].tolist() == ["b", "d"]
    targets = np.array([0, 1])
    votes = np.array([[0.7, 0.3], [0.4, 0.6]], np.float32)
    outcome = Outcome(np.array(["p", "q"]), {"age": targets}, {"ensemble": {"age": votes}})
    compared = compare(outcome, {"age": METRICS["log_loss"], JOINT: METRICS["macro_f1"]})
    assert list(compared) == ["age"]
    assert compared["age"]["ensemble"].value == pytest.approx(-(np.log(0.7) + np.log(0.6)) / 2, abs=1e-6)
    assert compared["age"]["ensemble"].metric == "log loss"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of two tasks with tiny untrained nets, and three images beside it."""
    folder = tmp_path / "toy"
    tasks = []
    for task, classes in (("mask", ("wear", "incorrect", "normal")), ("gender", ("male", "female"))):
        names = []
        for fold in range(2):
            torch.manual_seed(fold)
            names.append(f"{task}/fold{fold}.safetensors")
            (folder / task).mkdir(parents=True, exist_ok=True)
            save_state(make_model(TrainConfig(**TINY), len(classes)).state_dict(), folder / names[-1])
        member = MemberSpec(
            study=task,
            trial=0,
            origin="recipe",
            digest="x",
            classifier=TrainConfig(**TINY).classifier(),
            resize="squeeze",
            mean=(0.5,) * 3,
            std=(0.5,) * 3,
            out_of_fold_score=0.5,
            weights=tuple(names),
        )
        tasks.append(TaskSpec(task=task, classes=classes, members=(member,)))
    seal(folder, BundleManifest(name="toy", created="now", tasks=tuple(tasks), provenance={}, files={}))
    (tmp_path / "images").mkdir()
    for number in range(3):
        Image.new("RGB", (20, 30), (80 * number, 50, 200)).save(tmp_path / f"images/{number}.png")
    return folder


def predict(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "predict.py"), *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_a_bundle_votes_with_the_mean_of_its_folds(bundle: Path, tmp_path: Path) -> None:
    manifest = open_bundle(bundle)
    members = load_task(manifest.tasks[0], bundle)
    images = find_images(tmp_path / "images")
    votes = vote(members, images.paths, manifest.tasks[0]).probabilities
    folds = members[0].fold_votes(read_images(images.paths, Form(32)))
    assert folds.shape == (2, 3, 3)
    assert np.allclose(votes, folds.mean(axis=0))
    assert np.allclose(members[0].fold_vote(1, read_images(images.paths, Form(32))), folds[1])


def test_a_member_that_votes_otherwise_than_recorded_is_refused(bundle: Path, tmp_path: Path) -> None:
    member = load_task(open_bundle(bundle).tasks[0], bundle)[0]
    images = find_images(tmp_path / "images")
    folds = member.fold_votes(read_images(images.paths, Form(32)))
    study, ids = tmp_path / "mask", np.array(images.names)
    for off, allowed in ((0.0, True), (2e-4, False), (float("nan"), False)):
        for fold, votes in enumerate(folds):
            path = study / f"trials/0/fold_{fold}/predictions.npz"
            path.parent.mkdir(parents=True, exist_ok=True)
            FoldPredictions(ids=ids, targets=np.zeros(3, np.int64), probabilities=votes + np.float32(off * fold)).save(
                path
            )
        if allowed:
            assert check_member(member, study, tmp_path / "images") < 1e-5
        else:
            with pytest.raises(
                BundleError, match=r"fold [12]: the bundle gives other probabilities .* allowed 0\.0001"
            ):
                check_member(member, study, tmp_path / "images")


def test_weights_outside_the_bundle_are_refused(bundle: Path) -> None:
    manifest = open_bundle(bundle)
    member = manifest.tasks[0].members[0].model_copy(update={"weights": ("../outside.safetensors",)})
    task = manifest.tasks[0].model_copy(update={"members": (member,)})
    seal(bundle, manifest.model_copy(update={"tasks": (task,)}))
    with pytest.raises(BundleError, match="not among the bundle's files"):
        open_bundle(bundle)


def test_a_target_column_holds_numbers_and_a_task_column_names(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "a.png")
    images = find_images(tmp_path)
    task = [TaskSpec(task="digit", classes=("1", "2", "3"), members=())]
    for header, label, number in (("target", "1", 1), ("digit", "1", 0)):
        (tmp_path / "labels.csv").write_text(f"path,{header}\na.png,{label}\n")
        assert read_labels(tmp_path / "labels.csv", images, task)["digit"].tolist() == [number]
    for text in ("path,digit\na.png,0\n", "path,digit\na.png\n", "path,target\na.png,3\n"):
        (tmp_path / "labels.csv").write_text(text)
        with pytest.raises(BundleError, match="unknown label"):
            read_labels(tmp_path / "labels.csv", images, task)


@pytest.mark.parametrize("name", ["mask/fold0.safetensors", "manifest.json"])
def test_a_changed_file_is_refused(bundle: Path, name: str) -> None:
    content = bytearray((bundle / name).read_bytes())
    content[-2] ^= 1
    (bundle / name).write_bytes(content)
    with pytest.raises(BundleError, match=f"{Path(name).name}: was changed after the export"):
        open_bundle(bundle)


def test_a_missing_or_an_added_file_is_refused(bundle: Path) -> None:
    (bundle / "mask/extra.bin").write_bytes(b"")
    with pytest.raises(BundleError, match=r"extra\.bin: was added"):
        open_bundle(bundle)
    (bundle / "mask/extra.bin").unlink()
    (bundle / "gender/fold1.safetensors").unlink()
    with pytest.raises(BundleError, match=r"fold1\.safetensors: is missing"):
        open_bundle(bundle)
    shutil.rmtree(bundle)
    with pytest.raises(BundleError, match="is no bundle"):
        open_bundle(bundle)


@pytest.mark.slow
def test_predict_writes_votes_and_imports_only_what_it_needs(bundle: Path, tmp_path: Path) -> None:
    done = predict("--bundle", bundle, "--images", "images", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "votes.csv").read_text().splitlines()
    assert rows[0] == "image,mask,mask_wear,mask_incorrect,mask_normal,gender,gender_male,gender_female"
    assert [row.split(",")[0] for row in rows[1:]] == ["0.png", "1.png", "2.png"]
    script = f"""
import sys, runpy
sys.argv = ["predict.py", "--bundle", {str(bundle)!r}, "--images", "images"]
sys.path.insert(0, {str(ROOT)!r})
try:
    runpy.run_path({str(ROOT / "predict.py")!r}, run_name="__main__")
except SystemExit as end:
    assert end.code == 0
unwanted = {{"ray", "optuna", "pandas", "sklearn", "albumentations", "cv2", "rich"}}
print(sorted(unwanted & {{name.split(".")[0] for name in sys.modules}}))
"""
    listed = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert listed.stdout.splitlines()[-1] == "[]", listed.stderr


@pytest.mark.slow
def test_predict_scores_against_labels(bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,mask,gender\n0.png,wear,0\n1.png,incorrect,1\n2.png,normal,female\n")
    done = predict("--bundle", bundle, "--images", "images", "--labels", "labels.csv", cwd=tmp_path)
    assert "mask: macro F1" in done.stdout
    assert "gender: macro F1" in done.stdout
    (tmp_path / "labels.csv").write_text("path,mask\n0.png,wear\n1.png,hat\n2.png,normal\n")
    done = predict("--bundle", bundle, "--images", "images", "--labels", "labels.csv", cwd=tmp_path)
    assert done.returncode == 2
    assert "unknown label 'hat' of mask; it is one of wear, incorrect, normal" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--images", "nowhere"], "no such folder or CSV"),
        (["--images", "empty"], "holds no images"),
        (["--images", "bad.csv"], "needs a column path or id"),
        (["--images", "out.csv"], "leaves"),
        (["--images", "broken"], "1 images cannot be read"),
        (["--images", "images", "--bundle", "nowhere"], "is no bundle"),
        (["--images", "eval"], "a submission needs a bundle that votes on mask, gender, age; age is missing"),
    ],
)
def test_bad_input_to_predict_is_one_error(
    arguments: list[str],
    complaint: str,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken/a.png").write_bytes(b"nothing")
    (tmp_path / "bad.csv").write_text("name\n0.png\n")
    (tmp_path / "out.csv").write_text("path\n../../0.png\n")
    shutil.copytree(tmp_path / "images", tmp_path / "eval/images")
    (tmp_path / "eval/info.csv").write_text("ImageID,ans\n2.png,0\n0.png,0\n")
    monkeypatch.setattr(sys, "argv", ["predict.py", "--bundle", str(bundle), *arguments])
    monkeypatch.chdir(tmp_path)
    assert predict_command.main() == 2
    assert complaint in capsys.readouterr().err


def test_a_submission_keeps_the_order_of_info_csv(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in "ab":
        Image.new("RGB", (8, 8)).save(tmp_path / f"images/{name}.jpg")
    (tmp_path / "info.csv").write_text("ImageID,ans\nb.jpg,0\na.jpg,0\n")
    images = find_images(tmp_path)
    write_submission(images, np.array([17, 3]), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().split() == ["ImageID,ans", "b.jpg,17", "a.jpg,3"]


def test_labels_come_from_the_competitions_names_and_from_class_folders(tmp_path: Path) -> None:
    person = tmp_path / "000001_female_Asian_60"
    person.mkdir()
    Image.new("RGB", (8, 8)).save(person / "incorrect_mask.jpg")
    tasks = [
        TaskSpec(task="age", classes=("a", "b", "c"), members=()),
        TaskSpec(task="mask", classes=("d", "e", "f"), members=()),
    ]
    labels = read_labels(tmp_path, find_images(tmp_path), tasks)
    assert {task: values.tolist() for task, values in labels.items()} == {"age": [2], "mask": [1]}
    (tmp_path / "own/cat").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "own/cat/x.png")
    own = [TaskSpec(task="label", classes=("cat", "dog"), members=())]
    assert read_labels(tmp_path / "own", find_images(tmp_path / "own"), own)["label"].tolist() == [0]
