"""What stands can be exported: trials vote with the folds that they have, and are compared on folds that they share."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

import voting.candidates.studies as studies_module
from datasets.preparation import PreparedData, prepare
from datasets.sources.opening import data_options
from studies.metrics import METRICS
from studies.record.events import Launched, TrialAdded
from studies.record.record import Record
from studies.study_folder import StudyFolder
from studies.trials.climb_order import ClimbOrder
from studies.trials.manifest import TrialManifest, trial_path, weights_name
from studies.trials.predictions import FoldPredictions
from studies.trials.stored_trial import StoredTrial
from studies.trials.trial_folders import Drop, TrialFolders
from tests.toys.searched import toy_space
from tests.toys.training import TINY, write_study
from trainables.climber import Climber, shared_fold_data
from trainables.config import TrainConfig
from trainables.training.devices import Resources
from voting.bundle.fresh_process import verify
from voting.bundle.manifest import open_bundle, seal
from voting.bundle.packing import pack, pack_member
from voting.bundle.specs import BundleError, MemberSpec, TaskSpec
from voting.calibration.decision import Decision
from voting.candidates.compared_folds import compared_folds, leading, together
from voting.candidates.studies import StudyCandidates, read_candidates
from voting.candidates.tasks import TaskCandidates, task_candidates
from voting.candidates.trials import Candidate
from voting.ensemble.choice import choose, tasks_of
from voting.ensemble.fit import Wanted
from voting.ensemble.members import Chosen
from voting.ensemble.tasks import Tasks
from voting.out_of_fold.objective import OwnMetric
from voting.out_of_fold.pool import Pool
from voting.promise.bootstrap import resampled
from voting.promise.export import estimates
from voting.promise.limits import promise_limits
from voting.rules.vote import Rule

TRAINED = {0: (0, 1, 2), 1: (0, 2), 2: (0,)}  # folds by trial; 0 is the recipe
CONFIG = TrainConfig(**{**TINY, "epochs": 1, "head": "regression", "thresholds": "tuned"})


@pytest.fixture(scope="module")
def ages(cache_folder: Path) -> PreparedData:
    options = data_options().validate_python({"source": "sample_faces", "people": 24, "scale": 0.125})
    return prepare(options, "age", 3, 32)


@pytest.fixture
def study(ages: PreparedData, tmp_path: Path) -> StudyCandidates:
    """A search that stands in the middle: one trial has all three folds, one has two of them, one has a single fold."""
    folder = StudyFolder(tmp_path / "toy")
    folder.path.mkdir()
    write_study(folder.path, ages)
    space = toy_space(CONFIG).model_copy(update={"task": "age"})
    (folder.path / "space.yaml").write_text(yaml.safe_dump(space.model_dump(mode="json")))
    ages.holdout().to_csv(folder.holdout, index=False)
    folder.splits.write_text('{"digest": "s"}')
    shared_fold_data.cache_clear()
    with Record(folder.record) as record:
        record.append(Launched(time=0, settings={}))
        for number, folds in TRAINED.items():
            configuration = CONFIG.model_copy(update={"learning_rate": 1e-3 * (number + 1)}).model_dump()
            origin = "random" if number else "recipe"
            record.append(TrialAdded(time=0, trial=number, configuration=configuration, origin=origin))
            for fold in folds:
                train(folder.path, ClimbOrder(number, fold, 1, 1, configuration))
    return read_candidates(folder)


def train(study: Path, order: ClimbOrder) -> None:
    climber = Climber(study, order, Resources())
    climber.step()
    climber.close()


def test_a_bundle_of_folds_0_and_2_with_a_regression_head_votes_as_it_was_judged(
    study: StudyCandidates, tmp_path: Path
) -> None:
    (candidates,) = task_candidates([study])
    assert candidates.folds == (0, 2)
    assert [trial.number for trial in candidates.trials] == [0, 1], "the third has not got so far"
    assert set(candidates.samples["fold"]) == {0, 2}
    chosen = [Chosen(candidates, candidates.trials)]
    pack(tmp_path / "bundle", "toy", chosen, "s")
    manifest = open_bundle(tmp_path / "bundle")
    assert [member.folds for member in manifest.tasks[0].members] == [(0, 1, 2), (0, 2)]
    votes, difference = verify(tmp_path / "bundle", chosen, tmp_path)
    assert difference < 1e-4
    assert {name for name in votes if "/fold/" in name} == {"age/fold/0", "age/fold/2"}, "the folds of all members"
    assert "compared on 2 of 3 folds" in "\n".join(promise_limits(chosen))
    assert "with 3, 2 of 3 folds" in chosen[0].spelled()


def test_a_model_counted_to_another_fold_is_noticed(study: StudyCandidates, tmp_path: Path) -> None:
    (candidates,) = task_candidates([study])
    chosen = [Chosen(candidates, candidates.trials[:1])]
    manifest = pack(tmp_path / "bundle", "toy", chosen, "s")
    member = manifest.tasks[0].members[0].model_copy(update={"folds": (1, 0, 2)})
    seal(tmp_path / "bundle", manifest.model_copy(update={"tasks": (with_member(manifest.tasks[0], member),)}))
    with pytest.raises(BundleError, match="fold 2: the bundle gives other probabilities"):
        verify(tmp_path / "bundle", chosen, tmp_path)


def with_member(task: TaskSpec, member: MemberSpec) -> TaskSpec:
    return task.model_copy(update={"members": (member,)})


def test_with_one_finished_fold_nothing_is_fitted_and_the_promise_says_so(
    study: StudyCandidates, tmp_path: Path
) -> None:
    candidates = task_candidates([replace(study, trials=study.trials[2:])])
    tasks = tasks_of(candidates, Rule())
    chosen = choose(candidates, tasks, Wanted("greedy"), Rule())
    assert (chosen[0].decision, chosen[0].weights) == (Decision(), (1.0,))
    manifest = pack(tmp_path / "bundle", "toy", chosen, "s")
    assert (manifest.tasks[0].members[0].folds, manifest.tasks[0].members[0].borders) == ((0,), None)
    votes, difference = verify(tmp_path / "bundle", chosen, tmp_path)
    assert difference < 1e-4
    promised = estimates(tasks, chosen, Wanted(), votes, resamples=20)["age"]
    assert promised.gain.value < 0.01, "one model has nobody to vote with"
    assert "only 1 of 3 folds is compared, so nothing is fitted" in "\n".join(promise_limits(chosen))


def test_weights_that_a_running_search_drops_meanwhile_are_left_out_by_name(
    study: StudyCandidates, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trial = study.trials[0]
    (trial_path(trial.study, 0) / weights_name(1)).unlink()
    assert pack_member(tmp_path, "age", trial).folds == (0, 2)
    assert "fold_1" in caplog.text
    for fold in (0, 2):
        (trial_path(trial.study, 0) / weights_name(fold)).unlink()
    with pytest.raises(BundleError, match="all its weights were removed meanwhile; export again"):
        pack_member(tmp_path, "age", trial)


def test_weights_that_are_dropped_between_manifest_and_check_leave_that_fold_out_alone(
    study: StudyCandidates, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = studies_module.check_weights

    def meanwhile(place: Path, stored: StoredTrial) -> None:
        if stored.trial == 0 and 1 in stored.voting_folds:
            TrialFolders(place).drop(Drop(0, 1, "weights"))
        check(place, stored)

    monkeypatch.setattr(studies_module, "check_weights", meanwhile)
    again = read_candidates(study.folder)
    assert not again.damaged
    assert [trial.folds for trial in again.trials] == [(0, 2), (0, 2), (0,)]


def test_tasks_with_other_persons_have_a_promise_each_however_few_they_are() -> None:
    def pool(persons: int, folds: int) -> Pool:
        truth = np.arange(persons * 2) % 2
        said = np.random.default_rng(persons).dirichlet([1, 1], (3, len(truth))).astype(np.float32)
        numbers = np.repeat(np.arange(persons), 2)
        return Pool(said, truth, numbers, numbers % folds, OwnMetric(METRICS["accuracy"], truth), Rule())

    tasks = Tasks({"age": pool(40, 5), "hat": pool(3, 1)}, 40)
    packed = {name: one.ensemble for name, one in tasks.explain(Wanted()).items()}
    drawn = resampled(tasks, packed, Wanted(), resamples=50)
    assert all(np.isfinite([*one.drawn, *one.ahead]).all() for one in drawn.values())


SAMPLES = pd.DataFrame(
    {"id": [f"{number:03}" for number in range(100)], "person": range(100), "fold": np.arange(100) // 20}
)


def toy(folds: Sequence[int], right: int = 10, number: int = 0) -> Candidate:
    """Return a trial with some folds that is right on the first so many of every twenty images."""
    ids = SAMPLES["id"][SAMPLES["fold"].isin(folds)].to_numpy(str)
    second = np.tile(np.arange(20) < right, len(folds)).astype(np.float32)
    predictions = FoldPredictions(
        ids=ids, targets=np.ones(len(ids), np.int64), probabilities=np.stack([1 - second, second], axis=1)
    )
    stored = StoredTrial(TrialManifest(trial=number, configuration={}, digest="x", folds=5, epochs=1), {})
    return Candidate(
        Path("s"), number, "gp", stored, predictions, METRICS["accuracy"], "squeeze", folds=tuple(sorted(folds))
    )


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], (0, 1, 2, 3, 4)),
        ([toy(range(5), number=1), toy([0], number=2)], (0, 1, 2, 3, 4)),
        ([toy([0, 1, 2], number=1), toy([0, 1], number=2)], (0, 1, 2)),
        ([toy([0, 2, 3], number=1)], (0, 2, 3)),
        ([toy([0], 11, number=1)], (0, 1, 2, 3, 4)),  # ahead by chance
        ([toy([0], 20, number=1)], (0,)),  # ahead beyond noise
        ([toy([0, 1], 20, number=1), toy([0], 20, number=2)], (0, 1)),
    ],
)
def test_trials_are_compared_on_what_the_leader_shares_with_those_that_have_got_far(
    others: list[Candidate], expected: tuple[int, ...]
) -> None:
    assert compared_folds([toy(range(5)), *others], SAMPLES) == expected


def test_trials_that_share_no_fold_are_not_compared() -> None:
    one, other = toy([1], 5), toy([0], 20, number=1)
    assert leading([one, other], SAMPLES) is other, "the better of its own fold"
    assert len(compared_folds([one, other], SAMPLES)) == 1


def test_mask_gender_and_age_are_chosen_together_on_two_folds_or_more() -> None:
    assert together({"age": (0, 1, 2), "mask": (0, 1, 2, 3, 4)})["mask"] == (0, 1, 2, 3, 4)
    three = {"age": (0, 1, 2), "mask": (0, 1, 2, 3, 4), "gender": (0, 1), "hat": (0,)}
    assert together(three) == {"age": (0, 1), "mask": (0, 1), "gender": (0, 1), "hat": (0,)}
    assert together({**three, "age": (0,)})["mask"] == (0, 1, 2, 3, 4)


def test_only_the_rungs_before_the_compared_folds_are_made_again(study: StudyCandidates) -> None:
    candidates: list[TaskCandidates] = task_candidates([study])
    assert all(len(rung.targets) < len(candidates[0].samples) for rung in tasks_of(candidates, Rule()).rungs["age"])
