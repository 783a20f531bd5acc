"""The three commands as a user runs them: three tasks searched, packaged as one bundle, and voted on."""

import csv
import os
import re
import shlex
from pathlib import Path

import pytest

from tests.toys.commands import ONE_SLOT, SPACE, run, search
from voting.bundle.manifest import open_bundle
from voting.bundle.model_card import CARD
from voting.rules.joint import JOINT

pytestmark = pytest.mark.slow
TASKS = ("mask", "gender", "age")


def test_three_tasks_are_searched_packaged_and_voted_on(place: Path) -> None:
    assert "holds no study; run launch_search.py first" in run(place, "export_best.py", code=2)
    for task in TASKS:
        (place / f"{task}.yaml").write_text(SPACE.replace("task: mask", f"task: {task}"))
    spaces = [word for task in TASKS for word in ("--space", f"{task}.yaml")]
    out = run(place, "launch_search.py", *spaces, "--no-page", "--trials", "2", *ONE_SLOT)
    assert out.count("Leaderboard") == len(TASKS)
    assert "Ray dashboard: its link is a key and stays out of logs; to see it: cat /" in out
    (following,) = re.findall(r"^Next: python (export_best\.py .*)$", out, re.MULTILINE)
    exported = run(place, *shlex.split(following), "--size", "2", "--archive")
    check_promises(place / "ensembles/age-gender-mask", exported)
    assert "Verified in a fresh process: all members vote as recorded" in exported
    for words in (
        "best single trial",
        "ensemble",
        "default recipe",
        "mask x gender x age",
        "ensembles/age-gender-mask",
    ):
        assert words in exported
    names = lay_out_eval(place)
    out = run(place, "predict.py", "--images", "eval", "--labels", "eval/images")
    by_archive = run(place, "predict.py", "--bundle", "ensembles/age-gender-mask.tar", "--images", "eval")
    assert "submission -> submission.csv" in by_archive
    assert "submission -> submission.csv" in out
    assert "mask x gender x age: macro F1" in out
    with open(place / "submission.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["ImageID"] for row in rows] == names
    assert all(0 <= int(row["ans"]) < 18 for row in rows)
    for weights in place.glob("results/age/trials/*/fold_1/weights.safetensors"):
        weights.write_bytes(weights.read_bytes()[:-4] + b"\x00\x00\x80\x3f")
    assert "is missing or was changed" in run(place, "export_best.py", "--study", "age", code=2)
    assert sorted(path.name for path in (place / "ensembles").iterdir()) == ["age-gender-mask", "age-gender-mask.tar"]


def check_promises(bundle: Path, exported: str) -> None:
    """Check that a promise of every task and of the joint classes is printed first, and stands in manifest and card."""
    manifest, card = open_bundle(bundle), (bundle / CARD).read_text(encoding="utf-8")
    promises = {task.task: task.promise for task in manifest.tasks}
    assert manifest.joint is not None
    lines = iter(exported.splitlines())
    for name, promise in [*promises.items(), (JOINT, manifest.joint.promise)]:
        assert promise is not None
        assert 0 <= promise.low <= promise.score <= promise.high <= 1
        said = f"{promise.score:.3f} on new persons; 90% interval {promise.low:.3f} to {promise.high:.3f}"
        assert next(lines) == f"{name}: macro F1 {said}"
        assert f"{promise.score:.3f} | {promise.low:.3f} to {promise.high:.3f} (90%)" in card
    assert "there is no holdout" not in exported


def lay_out_eval(place: Path) -> list[str]:
    """Lay the drawn faces out as the competition's eval folder and return the listed images."""
    faces = next(Path(os.environ["FOLDRACE_CACHE"]).glob("sample_faces-*-20-*")) / "train/images"
    (place / "eval").mkdir()
    (place / "eval/images").symlink_to(faces)
    names = [path.relative_to(faces).as_posix() for path in sorted(faces.rglob("*.jpg"))][:21]
    (place / "eval/info.csv").write_text("ImageID,ans\n" + "".join(f"{name},0\n" for name in names))
    return names


def test_a_dry_run_tells_everything_and_starts_nothing(place: Path) -> None:
    out = search(place, "--dry-run")
    for words in ("learning_rate", "Ten configurations", "fold 2", "holdout", "wear", "fold-epochs for 5 trials"):
        assert words in out
    assert not (place / "results").exists()
