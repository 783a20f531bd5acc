"""Five kinds of backbones and four heads in one study, exported together, and predicted with twice alike."""

import json
from pathlib import Path

import pytest

from studies.study_folder import StudyFolder
from tests.toys.commands import run, search
from voting.bundle.fresh_process import verify
from voting.bundle.packing import pack
from voting.candidates.tasks import choose_studies, task_candidates
from voting.ensemble.members import Chosen

pytestmark = pytest.mark.slow
BACKBONES = {
    "vit_tiny_patch16_224": "classification",
    "resnet10t": "regression",
    "densenet121": "ordinal",
    "convnext_atto": "label_distribution",
    "tf_efficientnet_lite0": "classification",
}
SPACE = f"""
task: age
data: {{source: sample_faces, people: 16, scale: 0.125}}
parameters:
  backbone: {{choice: [{", ".join(BACKBONES)}], default: tf_efficientnet_lite0}}
  head:     {{choice: [classification, regression, ordinal, label_distribution]}}
constants: {{weights: none, image_size: 32, epochs: 1, batch_size: 16, thresholds: tuned}}
search: {{scheduler: full, trials: 5, folds: 2, finalists: 5}}
"""


def test_all_kinds_of_backbones_and_heads_are_trained_exported_and_predicted_with_twice_alike(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(SPACE)
    queue = [{"backbone": backbone, "head": head} for backbone, head in BACKBONES.items()]
    (tmp_path / "queue.yaml").write_text(json.dumps(queue[:-1]))
    search(tmp_path, "--enqueue", "queue.yaml")
    studies, _ = choose_studies([StudyFolder(tmp_path / "results/toy")])
    (candidates,) = task_candidates(studies)
    assert {str(trial.stored.configuration["backbone"]) for trial in candidates.trials} == set(BACKBONES)
    chosen = [Chosen(candidates, candidates.trials)]
    bundle = tmp_path / "ensembles/all"
    pack(bundle, "all", chosen, studies[0].splits_digest)
    _, difference = verify(bundle, chosen, tmp_path)
    assert difference <= 1e-4
    root = json.loads((tmp_path / "results/toy/data.json").read_text())["root"]
    (tmp_path / "few").mkdir()
    for number, path in enumerate(sorted(Path(root).rglob("*.jpg"))[:10]):
        (tmp_path / f"few/{number}.jpg").write_bytes(path.read_bytes())
    for name in ("one.csv", "two.csv"):
        run(tmp_path, "predict.py", "--bundle", str(bundle), "--images", "few", "--out", name)
    votes = [(tmp_path / name).read_text() for name in ("one.csv", "two.csv")]
    assert votes[0] == votes[1]
    header = votes[0].splitlines()[0]
    assert header == "image,age,age_under_30,age_30_to_59,age_60_and_over,age_number"
    assert all(15 < float(line.rsplit(",", 1)[1]) < 75 for line in votes[0].splitlines()[1:])
