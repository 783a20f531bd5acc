"""The trial folder and the climb: whatever is killed, reading it never gives a wrong answer."""

import errno
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from datasets.errors import DataError
from datasets.preparation import PreparedData
from studies.climb_order import ClimbOrder
from studies.looks import looks_of, read_look
from studies.manifest import FolderError, read_manifest, sha256_of
from studies.metrics import macro_f1
from studies.predictions import read_predictions
from studies.trial_folder import Superseded, TrialFolder
from studies.trial_folders import Drop, TrialFolders
from tests.toys.training import TINY, write_study
from trainables.climb_failures import failure_result
from trainables.climber import Climber, shared_fold_data
from trainables.config import TrainConfig
from trainables.fold_trainable import FoldTrainable
from trainables.training.devices import Resources
from trainables.training.fold_learner import NotFinite
from voting.candidates.trials import out_of_fold


@pytest.fixture(autouse=True)
def fresh_data() -> None:
    shared_fold_data.cache_clear()


def climber(study: Path, config: TrainConfig, rung: int, attempt: int = 1, trial: int = 0) -> Climber:
    return Climber(study, ClimbOrder(trial, rung, attempt, config.model_dump()), Resources())


def climb(study: Path, config: TrainConfig, rung: int, attempt: int = 1) -> list[dict[str, Any]]:
    one = climber(study, config, rung, attempt)
    results = [one.step()]
    while not results[-1]["done"]:
        results.append(one.step())
    one.close()
    return results


def curve(study: Path) -> list[tuple[int, int, float, float]]:
    manifest = read_manifest(study, 0)
    assert manifest is not None
    return [(line.fold, line.epoch, line.score, line.loss) for line in manifest.curve]


def test_a_climb_ends_at_its_rung_and_the_next_goes_on_from_there(study: Path, tiny: TrainConfig) -> None:
    assert [result["fold_epochs"] for result in climb(study, tiny, 1)] == [1]
    assert [result["fold_epochs"] for result in climb(study, tiny, 4, attempt=2)] == [2, 3, 4]
    manifest = read_manifest(study, 0)
    assert manifest is not None
    assert manifest.complete


def test_stopping_anywhere_changes_no_digit_of_the_curve(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 6)
    through = curve(study)
    shutil.rmtree(study / "trials")
    for attempt, rung in enumerate((1, 2, 4, 5, 6), 1):
        climb(study, config, rung, attempt)
    assert curve(study) == through


def test_the_score_of_a_rung_is_pooled_over_the_folds(study: Path, tiny: TrainConfig) -> None:
    last = climb(study, tiny, 4)[-1]
    parts = [read_predictions(study, 0, fold) for fold in (0, 1)]
    pooled = macro_f1(
        np.concatenate([one.targets for one in parts]), np.concatenate([one.probabilities for one in parts])
    )
    assert last["score"] == pooled
    assert last["fold_score"] == macro_f1(parts[1].targets, parts[1].probabilities)


def test_out_of_fold_predictions_cover_every_image_once(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 4)
    ids = np.concatenate([read_predictions(study, 0, fold).ids for fold in (0, 1)])
    assert sorted(ids) == sorted(shared_fold_data(study).ids)


def test_predictions_that_were_changed_are_not_chosen_from(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 4)
    manifest = read_manifest(study, 0)
    assert manifest is not None
    assert len(out_of_fold(study, manifest).ids) == len(shared_fold_data(study).ids)
    file = study / "trials/0/fold_1/predictions.npz"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(FolderError, match="was changed since it was written"):
        out_of_fold(study, manifest)


@pytest.mark.parametrize(
    "damage", [lambda whole: b"", lambda whole: whole[:60], lambda whole: whole[: len(whole) // 2]]
)
def test_predictions_that_were_cut_are_named(study: Path, tiny: TrainConfig, damage: Callable[[bytes], bytes]) -> None:
    climb(study, tiny, 2)
    file = study / "trials/0/fold_0/predictions.npz"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(FolderError, match=r"fold_0/predictions\.npz: out-of-fold predictions cannot be read"):
        read_predictions(study, 0, 0)


def test_a_finished_fold_drops_its_resume_state_and_lists_its_files(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 1)
    assert [path.name for path in (study / "trials/0/resume").iterdir()] == ["1.safetensors"]
    climb(study, tiny, 2, attempt=2)
    assert list((study / "trials/0/resume").iterdir()) == []
    manifest = read_manifest(study, 0)
    assert manifest is not None
    assert set(manifest.files) == {"fold_0/weights.safetensors", "fold_0/predictions.npz", "looks/1.npz"}
    assert all(sha256_of(study / "trials/0" / name) == digest for name, digest in manifest.files.items())


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory, faces: PreparedData) -> list[tuple[int, int, float, float]]:
    """The curve of a trial that nobody disturbed."""
    place = tmp_path_factory.mktemp("through")
    write_study(place, faces)
    climb(place, TrainConfig(**TINY), 4)
    return curve(place)


@pytest.mark.parametrize("moment", range(11))
def test_a_kill_between_any_two_renames_costs_that_epoch_alone(
    moment: int,
    study: Path,
    tiny: TrainConfig,
    through: list[tuple[int, int, float, float]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    renames, real = [0], Path.replace

    def dying(self: Path, target: Path) -> Path:
        if renames[0] == moment:
            raise KeyboardInterrupt
        renames[0] += 1
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            climb(study, tiny, 4)
    before = read_manifest(study, 0)
    climb(study, tiny, 4, attempt=2)
    assert curve(study) == through
    assert before is None or curve(study)[: len(before.curve)] == [
        (x.fold, x.epoch, x.score, x.loss) for x in before.curve
    ]


def test_a_trial_that_stands_at_its_rung_already_reports_it_and_trains_nothing(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 2)
    again = climber(study, tiny, 2, attempt=2).step()
    assert (again["fold_epochs"], again["done"]) == (2, True)
    assert len(curve(study)) == 2


def test_a_folder_of_another_configuration_is_not_gone_on_with(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 1)
    with pytest.raises(FolderError, match="holds another configuration"):
        climber(study, tiny.model_copy(update={"learning_rate": 0.5}), 2, attempt=2)


def test_an_old_attempt_that_still_runs_writes_nothing_more(study: Path, tiny: TrainConfig) -> None:
    old = climber(study, tiny, 4, attempt=1)
    old.step()
    new = climber(study, tiny, 4, attempt=2)
    assert old.step()["failure"] == "superseded"
    assert len(curve(study)) == 1
    assert new.step()["fold_epochs"] == 2
    with pytest.raises(Superseded):
        TrialFolder(study, 0).claim(1)


def test_a_diverging_trial_fails_with_its_reason_and_log(study: Path, tiny: TrainConfig) -> None:
    # A learning rate of 10 with a weight decay of 1 multiplies the weights by -9 at every step.
    explosive = {"optimizer": "sgd", "learning_rate": 10.0, "weight_decay": 1.0, "clip_gradient": 1e30, "epochs": 30}
    results = climb(study, tiny.model_copy(update={**explosive, "schedule": "constant"}), 60)
    assert results[-1]["failure"] == "not_finite"
    assert "a lower learning rate may help" in results[-1]["reason"]
    assert "NotFinite" in (study / "trials/0/failure.txt").read_text()


def test_an_error_inside_a_step_is_a_result_and_no_exception(
    study: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = climber(study, tiny, 4)
    monkeypatch.setattr("trainables.climber.FoldLearner.train_epoch", lambda *_: 1 / 0)
    result = one.step()
    assert (result["failure"], result["done"]) == ("error", True)
    assert "ZeroDivisionError" in result["reason"]


def test_a_damaged_manifest_is_named(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 1)
    (study / "trials/0/manifest.json").write_text("{")
    with pytest.raises(FolderError, match=r"manifest\.json: is damaged; python -m analysis.check .* --repair"):
        read_manifest(study, 0)


def test_nothing_in_a_trial_folder_is_a_pickle(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 3)
    files = [path for path in (study / "trials").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".npz", ".safetensors", ""}
    for path in files:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as arrays:
                assert all(arrays[name].dtype.kind in "Ufi" for name in arrays.files)


def test_the_trainable_steps_and_is_reused_without_a_cluster(study: Path, tiny: TrainConfig, tmp_path: Path) -> None:
    config = {
        "study": str(study),
        "cpus": 1,
        "compile": False,
        "gpus": 0.0,
        "trial": 0,
        "rung": 2,
        "attempt": 1,
        "configuration": tiny.model_dump(),
        "fold_order": "sequential",
    }
    trainable = FoldTrainable(json.loads(json.dumps(config)))
    first, second = trainable.train(), trainable.train()
    assert (first["fold_epochs"], first["done"]) == (1, False)
    assert (second["fold_epochs"], second["done"]) == (2, True)
    assert {"score", "fold", "epoch", "loss", "learning_rate", "images_per_second"} <= second.keys()
    assert trainable.reset({**config, "trial": 3, "rung": 1, "attempt": 2})
    assert trainable.train()["trial"] == 3
    assert repr(trainable).startswith(f"{study.name}: trains one trial after the other")
    (study / "trials/3/manifest.json").write_text("{")
    assert trainable.reset({**config, "trial": 3, "rung": 2, "attempt": 3})
    failed = trainable.train()
    assert (failed["failure"], failed["done"]) == ("error", True), "not a lost process"
    assert "is damaged" in failed["reason"]
    trainable.stop()


def test_an_actor_that_goes_on_with_its_own_trial_changes_no_digit(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 4)
    through = curve(study)
    shutil.rmtree(study / "trials")
    one = Climber(study, ClimbOrder(0, 1, 1, tiny.model_dump()), Resources())
    one.step()
    for attempt, rung in enumerate((2, 4), 2):
        assert one.takes_up(ClimbOrder(0, rung, attempt, tiny.model_dump()))
        while not one.step()["done"]:
            pass
    assert curve(study) == through
    one.close()


def test_an_actor_begins_anew_if_its_trial_was_moved_or_failed_or_is_another(study: Path, tiny: TrainConfig) -> None:
    one = Climber(study, ClimbOrder(0, 1, 1, tiny.model_dump()), Resources())
    one.step()
    assert not one.takes_up(ClimbOrder(1, 1, 2, tiny.model_dump()))
    climb(study, tiny, 2, attempt=2)
    assert not one.takes_up(ClimbOrder(0, 3, 3, tiny.model_dump()))
    with pytest.raises(Superseded):
        one.takes_up(ClimbOrder(0, 3, 1, tiny.model_dump()))
    two = Climber(study, ClimbOrder(0, 3, 4, tiny.model_dump()), Resources())
    with torch.no_grad():
        next(iter(two._learner(1).model.parameters())).fill_(float("nan"))
    assert two.step()["failure"] == "not_finite"
    assert not two.takes_up(ClimbOrder(0, 3, 5, tiny.model_dump()))


def test_a_superseded_actor_leaves_the_files_of_the_newer_attempt_alone(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 4})
    old = Climber(study, ClimbOrder(0, 3, 1, config.model_dump()), Resources())
    old.step()
    climb(study, config, 2, attempt=2)
    (study / "trials/0/resume/.3.safetensors.1.torn").touch()  # it is writing
    before = sorted(path.name for path in study.glob("trials/0/resume/*"))
    assert old.step()["failure"] == "superseded"
    assert sorted(path.name for path in study.glob("trials/0/resume/*")) == before


def test_an_actor_begins_anew_if_the_disk_budget_took_something(study: Path, tiny: TrainConfig) -> None:
    one = Climber(study, ClimbOrder(0, 1, 1, tiny.model_dump()), Resources())
    one.step()
    TrialFolders(study).drop(Drop(0, "resume"))
    assert not one.takes_up(ClimbOrder(0, 2, 2, tiny.model_dump()))


def test_every_second_of_a_fold_epoch_is_told_by_phase(study: Path, tiny: TrainConfig) -> None:
    one = Climber(study, ClimbOrder(0, 1, 1, tiny.model_dump()), Resources())
    started = time.perf_counter()
    result = one.step()
    prepare, train, judge, save = (result["phases"][phase] for phase in ("prepare", "train", "judge", "save"))
    assert prepare + train + judge <= result["seconds"] <= result["seconds"] + save <= time.perf_counter() - started
    assert result["phases"]["write"] > 0


def test_folds_in_lockstep_learn_the_same_as_one_after_the_other(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 4)
    manifest = read_manifest(study, 0)
    assert manifest is not None
    sequential = {(line.fold, line.epoch): (line.fold_score, line.loss) for line in manifest.curve}
    shutil.rmtree(study / "trials")
    for attempt, rung in enumerate((1, 3, 4), 1):  # a new start in the middle of a round
        one = Climber(study, ClimbOrder(0, rung, attempt, tiny.model_dump(), "lockstep"), Resources())
        while not one.step()["done"]:
            pass
        one.close()
    lockstep = read_manifest(study, 0)
    assert lockstep is not None
    assert [(line.fold, line.epoch) for line in lockstep.curve] == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert lockstep.complete
    assert lockstep.curve[-1].score == macro_f1(*pooled(study, 0))
    assert sequential == {(line.fold, line.epoch): (line.fold_score, line.loss) for line in lockstep.curve}


def pooled(study: Path, trial: int) -> tuple[Any, Any]:
    parts = [read_predictions(study, trial, fold) for fold in (0, 1)]
    return np.concatenate([part.targets for part in parts]), np.concatenate([part.probabilities for part in parts])


def test_a_state_that_was_dropped_is_trained_again_to_the_same_digit(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 6)
    through = curve(study)
    shutil.rmtree(study / "trials")
    climb(study, config, 2)
    folders = TrialFolders(study)
    assert folders.holding(0).parts["resume"] > 0
    folders.drop(Drop(0, "resume"))
    assert folders.holding(0).parts["resume"] == 0
    climb(study, config, 6, attempt=2)
    assert curve(study) == through


def test_a_damaged_state_is_trained_again_to_the_same_digit(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 6)
    through = curve(study)
    shutil.rmtree(study / "trials")
    climb(study, config, 2)
    (state,) = study.glob("trials/0/resume/*")
    state.write_bytes(state.read_bytes()[:-100])
    climb(study, config, 6, attempt=2)
    assert curve(study) == through


def test_weights_that_were_dropped_too_early_are_back_when_the_trial_is_complete(
    study: Path, tiny: TrainConfig
) -> None:
    climb(study, tiny, 4)
    whole = read_manifest(study, 0)
    shutil.rmtree(study / "trials")
    climb(study, tiny, 3)
    TrialFolders(study).drop(Drop(0, "weights"))
    climb(study, tiny, 4, attempt=2)
    manifest = read_manifest(study, 0)
    assert manifest is not None
    assert whole is not None
    assert manifest.can_vote
    assert manifest.files.items() >= whole.files.items(), "the same bytes; a look where it rested is more"


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (MemoryError(), "out_of_memory"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 MiB"), "out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"), "out_of_memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "out_of_memory"),
        (DataError("cache.npy: is gone"), "bad_image"),
        (NotFinite("the loss is nan"), "not_finite"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk_full"),
        (SafetensorError("I/O error: No space left on device (os error 28)"), "disk_full"),
        (Superseded("attempt 1"), "superseded"),
        (TypeError("unexpected keyword"), "error"),
    ],
)
def test_every_failure_has_its_class_and_leaves_a_log(error: Exception, failure: str, tmp_path: Path) -> None:
    result = failure_result(tmp_path / "7", error)
    assert (result["failure"], result["trial"], result["done"]) == (failure, 7, True)
    assert type(error).__name__ in (tmp_path / "7/failure.txt").read_text()


def test_a_trial_whose_weights_were_dropped_keeps_its_predictions_and_cannot_vote(
    study: Path, tiny: TrainConfig
) -> None:
    climb(study, tiny, 4)
    TrialFolders(study).drop(Drop(0, "weights"))
    manifest = read_manifest(study, 0)
    assert manifest is not None
    assert manifest.complete
    assert not manifest.can_vote
    assert not list(study.glob("trials/0/*/weights.safetensors"))
    assert len(out_of_fold(study, manifest).ids) == sum(len(read_predictions(study, 0, fold).ids) for fold in (0, 1))


def test_too_little_free_space_is_told_before_anything_is_written(
    study: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    climb(study, tiny, 1)
    monkeypatch.setattr("storage.free_space.RESERVED_BYTES", 2**60)
    with pytest.raises(OSError, match="are free"):
        climber(study, tiny, 2, attempt=2)
    monkeypatch.undo()
    one = climber(study, tiny, 2, attempt=2)
    monkeypatch.setattr("storage.free_space.RESERVED_BYTES", 2**60)
    result = one.step()
    assert (result["failure"], result["done"]) == ("disk_full", True)
    monkeypatch.undo()
    assert [line["fold_epochs"] for line in climb(study, tiny, 4, attempt=3)] == [2, 3, 4]


def test_a_trial_that_rests_inside_a_fold_keeps_what_it_said_there_in_half_precision(
    study: Path, tiny: TrainConfig
) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 1)
    climb(study, config, 2, attempt=2)
    climb(study, config, 3, attempt=3)
    manifest = read_manifest(study, 0)
    assert manifest is not None
    assert looks_of(manifest) == (1, 2), "the end of a fold has its exact predictions"
    look = read_look(study, 0, 2)
    whole = read_predictions(study, 0, 0)
    assert look[0].shape == whole.probabilities.shape
    assert np.allclose(look[0].sum(axis=1), 1, atol=2e-3)
    (study / "trials/0/looks/2.npz").write_bytes(b"")
    with pytest.raises(FolderError, match=r"2\.npz: cannot be read"):
        read_look(study, 0, 2)
