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
from studies.metrics import macro_f1
from studies.trials.attempts import Attempt
from studies.trials.climb_order import ClimbOrder
from studies.trials.fold_folder import FoldFolder, Superseded
from studies.trials.looks import checked_look, looks_of
from studies.trials.manifest import FolderError, sha256_of
from studies.trials.predictions import read_predictions
from studies.trials.stored_trial import StoredTrial, read_trial
from studies.trials.trial_folders import Drop, TrialFolders
from tests.toys.training import TINY, write_study
from trainables.climb_failures import failure_result
from trainables.climber import Climber, shared_fold_data
from trainables.config import TrainConfig
from trainables.fold_trainable import FoldTrainable
from trainables.training.devices import DeviceError, Resources
from trainables.training.fold_learner import NotFinite
from trainables.training.seeds import derived_seed
from voting.candidates.trials import out_of_fold


@pytest.fixture(autouse=True)
def fresh_data() -> None:
    shared_fold_data.cache_clear()


def order(config: TrainConfig, fold: int, epoch: int, attempt: int = 1, trial: int = 0) -> ClimbOrder:
    return ClimbOrder(trial, fold, epoch, attempt, config.model_dump())


def climber(
    study: Path, config: TrainConfig, epoch: int, attempt: int = 1, trial: int = 0, *, fold: int = 0
) -> Climber:
    return Climber(study, order(config, fold, epoch, attempt, trial), Resources())


def climb(study: Path, config: TrainConfig, epoch: int, attempt: int = 1, *, fold: int = 0) -> list[dict[str, Any]]:
    one = climber(study, config, epoch, attempt, fold=fold)
    results = [one.step()]
    while not results[-1]["done"]:
        results.append(one.step())
    one.close()
    return results


def climb_all(study: Path, config: TrainConfig, attempt: int = 1) -> None:
    """Train both folds."""
    for fold in (0, 1):
        climb(study, config, config.epochs, attempt + fold, fold=fold)


def stored(study: Path) -> StoredTrial:
    found = read_trial(study, 0)
    assert found is not None
    return found


def curve(study: Path) -> list[tuple[int, int, float, float | None]]:
    parts = stored(study).parts
    return [(line.fold, line.epoch, line.score, line.loss) for _, part in sorted(parts.items()) for line in part.curve]


def test_a_climb_ends_at_its_epoch_and_the_next_goes_on_from_there(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    assert [result["epochs"] for result in climb(study, config, 1)] == [1]
    assert [result["epochs"] for result in climb(study, config, 3, attempt=2)] == [2, 3]
    assert stored(study).finished_folds == (0,)
    climb(study, config, 3, attempt=3, fold=1)
    assert stored(study).is_complete


def test_stopping_anywhere_changes_no_digit_of_the_curve(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb_all(study, config)
    through = curve(study)
    shutil.rmtree(study / "trials")
    for attempt, (fold, epoch) in enumerate(((0, 1), (0, 2), (1, 1), (0, 3), (1, 3)), 1):
        climb(study, config, epoch, attempt, fold=fold)
    assert curve(study) == through, "nor does the order of the folds"


def test_folds_side_by_side_learn_the_same_as_one_after_the_other(study: Path, tiny: TrainConfig) -> None:
    climb_all(study, tiny)
    through = curve(study)
    shutil.rmtree(study / "trials")
    both = [climber(study, tiny, 2, attempt, fold=fold) for fold, attempt in ((1, 1), (0, 2))]
    for one in (*both, *both[::-1]):
        one.step()
    assert curve(study) == through
    manifest = (study / "trials/0/manifest.json").read_bytes()
    assert json.loads(manifest).keys() == {"format", "trial", "configuration", "digest", "folds", "epochs"}


def test_the_score_of_a_rung_is_pooled_over_the_folds(study: Path, tiny: TrainConfig) -> None:
    climb_all(study, tiny)
    parts = [read_predictions(study, 0, fold) for fold in (0, 1)]
    pooled = macro_f1(
        np.concatenate([one.targets for one in parts]), np.concatenate([one.probabilities for one in parts])
    )
    assert TrialFolders(study).pooled_score(0, 2) == pooled
    assert stored(study).parts[1].curve[-1].score == macro_f1(parts[1].targets, parts[1].probabilities)


def test_out_of_fold_predictions_cover_every_image_once(study: Path, tiny: TrainConfig) -> None:
    climb_all(study, tiny)
    ids = np.concatenate([read_predictions(study, 0, fold).ids for fold in (0, 1)])
    assert sorted(ids) == sorted(shared_fold_data(study).ids)


def test_predictions_that_were_changed_are_not_chosen_from(study: Path, tiny: TrainConfig) -> None:
    climb_all(study, tiny)
    assert len(out_of_fold(study, stored(study)).ids) == len(shared_fold_data(study).ids)
    file = study / "trials/0/fold_1/predictions.npz"
    file.write_bytes(file.read_bytes() + b" ")
    with pytest.raises(FolderError, match="was changed since it was written"):
        out_of_fold(study, stored(study))


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
    assert [path.name for path in (study / "trials/0/fold_0/resume").iterdir()] == ["1.safetensors"]
    climb(study, tiny, 2, attempt=2)
    assert list((study / "trials/0/fold_0/resume").iterdir()) == []
    files = stored(study).files
    assert set(files) == {"fold_0/weights.safetensors", "fold_0/predictions.npz", "fold_0/looks/1.npz"}
    assert all(sha256_of(study / "trials/0" / name) == digest for name, digest in files.items())


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory, faces: PreparedData) -> list[tuple[int, int, float, float]]:
    """The curve of a trial that nobody disturbed."""
    place = tmp_path_factory.mktemp("through")
    write_study(place, faces)
    climb_all(place, TrainConfig(**TINY))
    return curve(place)


@pytest.mark.parametrize("moment", range(12))
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
            climb_all(study, tiny)
    before = curve(study) if read_trial(study, 0) else []
    climb_all(study, tiny, attempt=3)
    assert curve(study) == through
    assert set(before) <= set(through)


def test_a_fold_that_stands_where_it_is_bound_reports_it_and_trains_nothing(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 2)
    again = climber(study, tiny, 2, attempt=2).step()
    assert (again["epochs"], again["done"]) == (2, True)
    assert len(curve(study)) == 2


def test_a_folder_of_another_configuration_is_not_gone_on_with(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 1)
    with pytest.raises(FolderError, match="holds another configuration"):
        climber(study, tiny.model_copy(update={"learning_rate": 0.5}), 2, attempt=2)


def test_an_old_attempt_that_still_runs_writes_nothing_more(study: Path, tiny: TrainConfig) -> None:
    old = climber(study, tiny, 2, attempt=1)
    old.step()
    new = climber(study, tiny, 2, attempt=2)
    assert old.step()["failure"] == "superseded"
    assert len(curve(study)) == 1
    assert new.step()["epochs"] == 2
    with pytest.raises(Superseded):
        FoldFolder(study, 0, 0).claim(Attempt(1))


def test_an_attempt_of_the_same_number_of_another_launch_is_refused(study: Path, tiny: TrainConfig) -> None:
    FoldFolder(study, 0, 0).claim(Attempt(5, "one"))
    FoldFolder(study, 0, 0).claim(Attempt(5, "one"))
    with pytest.raises(Superseded, match="attempt 5 other was taken over by attempt 5 one"):
        FoldFolder(study, 0, 0).claim(Attempt(5, "other"))
    FoldFolder(study, 0, 1).claim(Attempt(5, "other"))


def test_a_fold_without_its_manifest_of_the_trial_is_one_clear_error(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 1)
    (study / "trials/0/manifest.json").unlink()
    with pytest.raises(FolderError, match=r"manifest\.json: is missing although folds of it were trained; .*--repair"):
        climber(study, tiny, 2, attempt=2)


def test_folds_of_different_configurations_are_one_clear_error(study: Path, tiny: TrainConfig) -> None:
    climb_all(study, tiny)
    file = study / "trials/0/fold_1/manifest.json"
    file.write_text(file.read_text().replace(stored(study).digest, "0" * 16))
    with pytest.raises(FolderError, match=r"fold_1/manifest\.json: is of another trial, fold or configuration"):
        read_trial(study, 0)


def test_a_diverging_trial_fails_with_its_reason_and_log(study: Path, tiny: TrainConfig) -> None:
    # A learning rate of 10 with a weight decay of 1 multiplies the weights by -9 at every step.
    explosive = {"optimizer": "sgd", "learning_rate": 10.0, "weight_decay": 1.0, "clip_gradient": 1e30, "epochs": 30}
    results = climb(study, tiny.model_copy(update={**explosive, "schedule": "constant"}), 30)
    assert results[-1]["failure"] == "not_finite"
    assert "a lower learning rate may help" in results[-1]["reason"]
    assert "NotFinite" in (study / "trials/0/failure.txt").read_text()


def test_an_error_inside_a_step_is_a_result_and_no_exception(
    study: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = climber(study, tiny, 2)
    monkeypatch.setattr("trainables.climber.FoldLearner.train_epoch", lambda *_: 1 / 0)
    result = one.step()
    assert (result["failure"], result["done"]) == ("error", True)
    assert "ZeroDivisionError" in result["reason"]


def test_a_damaged_manifest_is_named(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 1)
    for name in ("manifest.json", "fold_0/manifest.json"):
        file = study / "trials/0" / name
        whole = file.read_text()
        file.write_text("{")
        with pytest.raises(FolderError, match=rf"{name}: is damaged; python -m analysis.check {study} --repair"):
            read_trial(study, 0)
        file.write_text(whole)


def test_nothing_in_a_trial_folder_is_a_pickle(study: Path, tiny: TrainConfig) -> None:
    climb(study, tiny, 1)
    climb(study, tiny, 2, attempt=2, fold=1)
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
        "compile": None,
        "gpus": 0.0,
        **order(tiny, 0, 2).as_values(),
    }
    trainable = FoldTrainable(json.loads(json.dumps(config)))
    first, second = trainable.train(), trainable.train()
    assert (first["epochs"], first["done"]) == (1, False)
    assert (second["epochs"], second["done"]) == (2, True)
    assert {"score", "fold", "epoch", "loss", "learning_rate", "images_per_second"} <= second.keys()
    assert trainable.reset({**config, "trial": 3, "epoch": 1, "attempt": 2})
    assert trainable.train()["trial"] == 3
    assert repr(trainable).startswith("trains one fold of a trial after the other"), "and of whichever study"
    (study / "trials/3/manifest.json").write_text("{")
    assert trainable.reset({**config, "trial": 3, "epoch": 2, "attempt": 3})
    failed = trainable.train()
    assert (failed["failure"], failed["done"]) == ("error", True), "not a lost process"
    assert "is damaged" in failed["reason"]
    trainable.stop()


def test_an_actor_that_turns_to_another_study_trains_there_also_when_its_first_try_failed(
    study: Path, tiny: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Recipes are the same configuration in several studies: the model of one must not go on in another's name."""
    other = Path(shutil.copytree(study, tmp_path / "other"))

    def config(place: Path, epoch: int, attempt: int) -> dict[str, object]:
        values = order(tiny, 0, epoch, attempt).as_values()
        return {"study": str(place), "cpus": 1, "compile": None, "gpus": 0.0, **values}

    trainable = FoldTrainable(config(study, 1, 1))
    assert trainable.train()["epochs"] == 1
    with monkeypatch.context() as broken:
        broken.setattr("trainables.fold_trainable._load_plugins", lambda place: 1 / 0)
        assert trainable.reset(config(other, 1, 2))
        assert trainable.train()["failure"] == "error"
    assert trainable.reset(config(other, 2, 3))
    assert trainable.train()["epochs"] == 1, "from the beginning: nothing of that study was trained"
    assert stored(other).parts[0].trained == 1
    assert stored(study).parts[0].trained == 1
    trainable.stop()


def test_an_actor_that_goes_on_with_its_own_fold_changes_no_digit(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 3)
    through = curve(study)
    shutil.rmtree(study / "trials")
    one = climber(study, config, 1)
    one.step()
    for attempt, epoch in enumerate((2, 3), 2):
        assert one.takes_up(order(config, 0, epoch, attempt))
        while not one.step()["done"]:
            pass
    assert curve(study) == through
    one.close()


def test_an_actor_begins_anew_if_its_fold_was_moved_or_failed_or_is_another(study: Path, tiny: TrainConfig) -> None:
    one = climber(study, tiny, 1)
    one.step()
    assert not one.takes_up(order(tiny, 0, 1, 2, trial=1))
    assert not one.takes_up(order(tiny, 1, 1, 2))
    climb(study, tiny, 2, attempt=2)
    assert not one.takes_up(order(tiny, 0, 2, 3))
    with pytest.raises(Superseded):
        one.takes_up(order(tiny, 0, 2, 1))
    two = climber(study, tiny, 2, attempt=4, fold=1)
    with torch.no_grad():
        next(iter(two._resumed().model.parameters())).fill_(float("nan"))
    assert two.step()["failure"] == "not_finite"
    assert not two.takes_up(order(tiny, 1, 2, 5))


def test_a_superseded_actor_leaves_the_files_of_the_newer_attempt_alone(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 4})
    old = climber(study, config, 3)
    old.step()
    climb(study, config, 2, attempt=2)
    (study / "trials/0/fold_0/resume/.3.safetensors.1.torn").touch()  # it is writing
    before = sorted(path.name for path in study.glob("trials/0/fold_0/resume/*"))
    assert old.step()["failure"] == "superseded"
    assert sorted(path.name for path in study.glob("trials/0/fold_0/resume/*")) == before


def test_an_actor_begins_anew_if_the_disk_budget_took_something(study: Path, tiny: TrainConfig) -> None:
    one = climber(study, tiny, 1)
    one.step()
    TrialFolders(study).drop(Drop(0, 0, "resume"))
    assert not one.takes_up(order(tiny, 0, 2, 2))


def test_every_second_of_a_fold_epoch_is_told_by_phase(study: Path, tiny: TrainConfig) -> None:
    one = climber(study, tiny, 1)
    started = time.perf_counter()
    result = one.step()
    prepare, train, judge, save = (result["phases"][phase] for phase in ("prepare", "train", "judge", "save"))
    assert prepare + train + judge <= result["seconds"] <= result["seconds"] + save <= time.perf_counter() - started
    assert result["phases"]["write"] > 0


def test_a_state_that_was_dropped_is_trained_again_to_the_same_digit(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 3)
    through = curve(study)
    shutil.rmtree(study / "trials")
    climb(study, config, 2)
    folders = TrialFolders(study)
    assert folders.holding(0).parts[0, "resume"] > 0
    folders.drop(Drop(0, 0, "resume"))
    assert folders.holding(0).parts[0, "resume"] == 0
    climb(study, config, 3, attempt=2)
    assert curve(study) == through


def test_a_damaged_state_is_trained_again_to_the_same_digit(study: Path, tiny: TrainConfig) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 3)
    through = curve(study)
    shutil.rmtree(study / "trials")
    climb(study, config, 2)
    (state,) = study.glob("trials/0/fold_0/resume/*")
    state.write_bytes(state.read_bytes()[:-100])
    climb(study, config, 3, attempt=2)
    assert curve(study) == through


def test_a_climb_of_a_finished_fold_whose_weights_were_dropped_brings_them_back(study: Path, tiny: TrainConfig) -> None:
    climb_all(study, tiny)
    whole = stored(study)
    TrialFolders(study).drop(Drop(0, 0, "weights"))
    assert stored(study).voting_folds == (1,)
    results = climb(study, tiny, 2, attempt=3)
    assert [result["done"] for result in results] == [False, True]
    assert results[-1]["replaced"]
    assert stored(study).voting_folds == (0, 1)
    assert stored(study).files == whole.files, "the same bytes on the same machine"


def test_predictions_are_replaced_together_with_the_weights_that_make_them(
    study: Path, tiny: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    climb(study, tiny, 2)
    TrialFolders(study).drop(Drop(0, 0, "weights"))
    other = derived_seed(99)
    monkeypatch.setattr("trainables.training.fold_learner.derived_seed", lambda *parts: other + sum(parts))
    result = climb(study, tiny, 2, attempt=2)[-1]  # trained again to other digits, as another device would
    predictions = read_predictions(study, 0, 0)
    assert result["score"] == macro_f1(predictions.targets, predictions.probabilities)
    assert stored(study).parts[0].curve[-1].score == result["score"]


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (MemoryError(), "out_of_memory"),
        (torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 MiB"), "out_of_memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to"), "out_of_memory"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), "out_of_memory"),
        (torch.AcceleratorError("CUDA error: device-side assert triggered"), "lost_process"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "lost_process"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`"), "lost_process"),
        (RuntimeError("DataLoader worker (pid 7) is killed by signal: Bus error. It is possible that"), "lost_process"),
        (RuntimeError("DataLoader worker (pid(s) 7, 8) exited unexpectedly"), "lost_process"),
        (RuntimeError("DataLoader timed out after 600 seconds"), "lost_process"),
        (RuntimeError("unable to write to file </torch_7_8>: No space left on device (28)"), "lost_process"),
        (RuntimeError("Caught RuntimeError in DataLoader worker process 0.\nOriginal Traceback"), "error"),
        (DeviceError("torch cannot use the GPU"), "lost_process"),
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
    climb_all(study, tiny)
    for fold in (0, 1):
        TrialFolders(study).drop(Drop(0, fold, "weights"))
    found = stored(study)
    assert found.is_complete
    assert found.voting_folds == ()
    assert not list(study.glob("trials/0/*/weights.safetensors"))
    assert all(len(read_predictions(study, 0, fold).ids) for fold in (0, 1))


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
    assert [line["epochs"] for line in climb(study, tiny, 2, attempt=3)] == [2]


def test_a_trial_that_rests_inside_a_fold_keeps_what_it_said_there_in_half_precision(
    study: Path, tiny: TrainConfig
) -> None:
    config = tiny.model_copy(update={"epochs": 3})
    climb(study, config, 1)
    climb(study, config, 2, attempt=2)
    climb(study, config, 3, attempt=3)
    part = stored(study).parts[0]
    assert sorted(looks_of(part)) == [1, 2], "the end of a fold has its exact predictions"
    look = checked_look(study, part, 2)
    whole = read_predictions(study, 0, 0)
    assert look.shape == whole.probabilities.shape
    assert np.allclose(look.sum(axis=1), 1, atol=2e-3)
    (study / "trials/0/fold_0/looks/2.npz").write_bytes(b"")
    with pytest.raises(FolderError, match=r"2\.npz: is missing or was changed"):
        checked_look(study, part, 2)
