"""What a trial was judged by is what votes: packed, read again, and compared a bounded number of images at a time."""

import json
from pathlib import Path

import numpy as np
import pytest

from studies.metrics import METRICS
from studies.trials.climb_order import ClimbOrder
from studies.trials.stored_trial import StoredTrial, read_trial
from trainables.climber import Climber, shared_fold_data
from trainables.config import TrainConfig
from trainables.training.devices import Resources
from voting.bundle.manifest import open_bundle, seal
from voting.bundle.packing import in_place_spec, pack_member
from voting.bundle.specs import BundleManifest, TaskSpec
from voting.bundle.verification import Reference, TaskPlan, check_member, holdout_votes
from voting.candidates.trials import Candidate, out_of_fold
from voting.predicting import runtime
from voting.predicting.runtime import load_task


def trained(study: Path, config: TrainConfig) -> StoredTrial:
    """Train a trial on all folds."""
    shared_fold_data.cache_clear()
    for fold in (0, 1):
        climber = Climber(study, ClimbOrder(0, fold, 2, 1, config.model_dump()), Resources())
        while not climber.step()["done"]:
            pass
        climber.close()
    stored = read_trial(study, 0)
    assert stored is not None
    assert stored.is_complete
    return stored


def finished(study: Path, stored: StoredTrial) -> Candidate:
    return Candidate(study, 0, "recipe", stored, out_of_fold(study, stored), METRICS["macro_f1"], "squeeze")


def packed(study: Path, stored: StoredTrial, bundle: Path) -> TaskSpec:
    """Pack a trial and return its task as the bundle has it."""
    bundle.mkdir()
    member = pack_member(bundle, "mask", finished(study, stored))
    task = TaskSpec(task="mask", classes=shared_fold_data(study).classes, members=(member,))
    seal(bundle, BundleManifest(name="toy", created="now", tasks=(task,), provenance={}, files={}))
    return open_bundle(bundle).tasks[0]


@pytest.mark.parametrize("precision", ["bfloat16", "float32"])
def test_a_trial_votes_as_it_was_judged_whatever_precision_it_was_trained_in(
    precision: str, study: Path, tiny: TrainConfig, tmp_path: Path
) -> None:
    stored = trained(study, tiny.model_copy(update={"precision": precision}))
    (member,) = load_task(packed(study, stored, tmp_path / "bundle"), tmp_path / "bundle")
    assert check_member(member, study, images_of(study)) < 1e-6


def images_of(study: Path) -> Path:
    return Path(json.loads((study / "data.json").read_text())["root"])


def test_a_bundle_is_verified_a_bounded_number_of_images_at_a_time(
    study: Path, tiny: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = trained(study, tiny)
    task = packed(study, stored, tmp_path / "bundle")
    members, root = load_task(task, tmp_path / "bundle"), images_of(study)
    holdout = tuple(str(name) for name in out_of_fold(study, stored).ids[:13])
    plan = TaskPlan(root=root, studies=(study,), holdout=holdout)
    whole = holdout_votes(task, members, plan)
    read: list[int] = []
    real = runtime.read_images
    monkeypatch.setattr(runtime, "_CHUNK", 5)
    monkeypatch.setattr(runtime, "read_images", lambda paths, form: (read.append(len(paths)), real(paths, form))[1])
    assert check_member(members[0], study, root) < 1e-6
    assert max(read) == 5
    read.clear()
    in_parts = holdout_votes(task, members, plan)
    assert read == [5, 5, 3], "once for all members"
    assert all(np.allclose(in_parts[name], whole[name], atol=1e-6) for name in whole)


def test_a_reference_that_votes_anyway_is_not_loaded_twice_and_one_that_does_not_is_compared(
    study: Path, tiny: TrainConfig, tmp_path: Path
) -> None:
    stored = trained(study, tiny)
    task = packed(study, stored, tmp_path / "bundle")
    members = load_task(task, tmp_path / "bundle")
    spec = in_place_spec(finished(study, stored))
    holdout = tuple(str(name) for name in out_of_fold(study, stored).ids[:3])
    for reference in (spec, spec.model_copy(update={"trial": 7})):
        plan = TaskPlan(
            root=images_of(study),
            studies=(study,),
            holdout=holdout,
            compared={"recipe": Reference(study=study, spec=reference)},
        )
        votes = holdout_votes(task, members, plan)
        assert set(votes) == {"mask/member/0", "mask/vote", "mask/fold/0", "mask/fold/1", "mask/recipe"}
        assert np.array_equal(votes["mask/recipe"], votes["mask/member/0"])
    for weights in (study / "trials/0").rglob("weights.safetensors"):
        weights.unlink()  # a running search has room for it no more
    assert "mask/recipe" not in holdout_votes(task, members, plan)
