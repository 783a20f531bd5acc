"""What an export reads of a study: finished trials, and the rungs on which they left others behind."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml

from analysis.confirm.__main__ import train
from analysis.confirm.contest import RECIPE, WINNER, Contest, contest_of, steps
from analysis.confirm.report import ahead_of, repeats_of, verdict
from analysis.confirm.training import Again, redealt
from datasets.preparation import PreparedData
from storage.tensors import load_state
from studies.study_folder import StudyError, StudyFolder
from tests.toys.searched import search, toy_space
from tests.toys.training import TINY, write_study
from trainables.config import TrainConfig
from trainables.training.devices import Resources
from trainables.training.images.fold_data import load_all_data, load_fold_data
from voting.bundle.refit import pack_refitted, unscored
from voting.bundle.specs import BundleManifest, PromiseSpec, TaskSpec
from voting.candidates.looks import rungs_of
from voting.candidates.studies import StudyCandidates
from voting.candidates.tasks import choose_studies, judged_alike, task_candidates
from voting.ensemble.choice import choose, tasks_of
from voting.ensemble.fit import Wanted
from voting.out_of_fold.eliminations import still_candidates
from voting.predicting.runtime import load_task
from voting.rules.vote import Rule


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory, faces: PreparedData) -> StudyFolder:
    """A study of seven trials: some were eliminated after an epoch, some after a fold."""
    study = tmp_path_factory.mktemp("searched")
    space = toy_space(TrainConfig(**{**TINY, "epochs": 3}))
    write_study(study, faces)
    (study / "space.yaml").write_text(yaml.safe_dump(space.model_dump(mode="json")))
    faces.holdout().to_csv(study / "holdout.csv", index=False)
    (study / "splits.json").write_text('{"digest": "s"}')
    search(study, space, trials=7)
    return StudyFolder(study)


@pytest.fixture(scope="module")
def finished(searched: StudyFolder) -> StudyCandidates:
    (study,), _ = choose_studies([searched])
    return study


def persons_of(study: StudyCandidates) -> dict[str, int]:
    return {name: number for number, name in enumerate(sorted(set(study.samples["person"])))}


def test_judged_again_on_all_persons_the_same_trials_go_on(finished: StudyCandidates) -> None:
    rungs = rungs_of(finished, 0, persons_of(finished))
    assert rungs
    for rung in rungs:
        rows = np.arange(len(rung.targets))
        went_on = rung.survivors(rows)
        assert went_on.sum() == rung.went_on
        assert went_on[rung.candidates >= 0].all(), "a finalist went on from every rung"


def test_a_look_in_half_precision_stands_for_the_images_of_its_fold(finished: StudyCandidates) -> None:
    rung = rungs_of(finished, 0, persons_of(finished))[0]
    first = finished.samples[finished.samples["fold"] == 0]
    assert rung.targets.tolist() == first["target"].tolist()
    assert rung.said.shape[1] == len(first)
    assert np.allclose(rung.said.sum(axis=2), 1, atol=2e-3)


def test_other_persons_may_leave_a_finalist_out_but_never_all(finished: StudyCandidates) -> None:
    rungs = rungs_of(finished, 0, persons_of(finished))
    for seed in range(20):
        drawn = np.random.default_rng(seed).integers(len(persons_of(finished)), size=len(persons_of(finished)))
        assert len(still_candidates(rungs, drawn, len(finished.trials))) >= 1


def test_a_study_that_was_judged_otherwise_is_left_out_by_name_and_refused_when_named(
    finished: StudyCandidates,
) -> None:
    other = finished.space.model_copy(update={"metric": "accuracy"})
    studies = [finished, replace(finished, space=other), replace(finished, data={**finished.data, "classes": ["x"]})]
    kept, reasons = judged_alike(studies, named=False)
    assert kept == [finished]
    assert "is judged by another metric (accuracy, not macro_f1)" in reasons[0]
    assert "has other classes than" in reasons[1]
    with pytest.raises(StudyError, match="export one of them with --study"):
        judged_alike(studies, named=True)


def test_the_choice_of_an_export_is_the_same_for_the_same_study(finished: StudyCandidates) -> None:
    candidates, rule = task_candidates([finished]), Rule()
    once, again = (choose(candidates, tasks_of(candidates, rule), Wanted(), rule)[0] for _ in range(2))
    assert once.members == again.members
    assert once.weights == again.weights
    assert sum(once.weights) == pytest.approx(1)


def test_a_refit_learns_from_everybody_and_promises_nothing(finished: StudyCandidates, tmp_path: Path) -> None:
    data = load_all_data(finished.folder.path)
    assert len(data.ids) == len(finished.samples) + len(finished.holdout)
    assert len(data.training(1)) == len(data.ids)
    trial = finished.trials[0]
    spec = pack_refitted(tmp_path, "mask", trial, Resources())
    assert len(spec.weights) == 1
    assert load_state(tmp_path / spec.weights[0])
    promise = PromiseSpec(metric="macro_f1", score=0.5, low=0.4, high=0.6, level=0.9)
    task = TaskSpec(task="mask", classes=data.classes, members=(spec,), promise=promise)
    manifest = unscored(BundleManifest(name="x", created="now", tasks=(task,), provenance={}, files={}))
    assert manifest.refit
    assert manifest.tasks[0].promise is None
    (member,) = load_task(manifest.tasks[0], tmp_path)
    votes = member.fold_votes(np.zeros((2, 32, 32, 3), np.uint8))
    assert votes.shape == (1, 2, 3)
    assert np.allclose(votes.sum(axis=2), 1, atol=1e-5)


def test_every_step_of_a_path_changes_one_knob_and_the_last_makes_the_winner() -> None:
    first, last = {"a": 1, "b": 2, "c": 3, "d": 4}, {"a": 1, "b": 5, "c": 6, "d": 7}
    path = [first, *steps(first, last).values(), last]
    assert list(steps(first, last)) == ["b 5", "c 6"]
    for before, after in itertools.pairwise(path):
        assert sum(before[name] != after[name] for name in first) == 1


def test_options_change_with_the_knob_that_takes_them() -> None:
    first = {"learning_rate": 1, "optimizer": "sgd", "optimizer_options.nesterov": True, "drop_rate": 0}
    last = {"learning_rate": 2, "optimizer": "adamw", "optimizer_options.eps": 1e-7, "drop_rate": 0}
    assert steps(first, last) == {"learning_rate 2": {**first, "learning_rate": 2}}
    back = steps(last, {**first, "drop_rate": 1})
    assert back["optimizer sgd"] == {**first, "learning_rate": 1}
    assert list(back) == ["learning_rate 1", "optimizer sgd"]


def test_dealt_again_no_person_is_in_two_folds_and_the_folds_are_others(finished: StudyCandidates) -> None:
    data = load_fold_data(finished.folder.path)
    other = redealt(data, 1)
    for person in np.unique(data.persons):
        assert len(np.unique(other.folds[data.persons == person])) == 1
    assert (other.folds != data.folds).any()
    assert np.array_equal(redealt(data, 1).folds, other.folds)


def contest() -> Contest:
    return Contest({RECIPE: {}, WINNER: {}}, 4, 0.05, "macro_f1")


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        ([0.03, 0.04, 0.03, 0.04], "The gain is real"),
        ([0.2, -0.2, 0.1, -0.1], "inside the noise"),
        ([-0.05] * 4, "behind"),
    ],
)
def test_the_verdict_says_whether_a_gain_remains(gains: list[float], said: str) -> None:
    recipe = [Again(RECIPE, repeat, 0.5, (0.5, 0.5)) for repeat in range(2)]
    winner = [
        Again(WINNER, repeat, 0.5 + sum(pair) / 2, (0.5 + pair[0], 0.5 + pair[1]))
        for repeat, pair in enumerate([gains[:2], gains[2:]])
    ]
    lines = list(verdict({RECIPE: recipe, WINNER: winner}, contest()))
    assert "ahead of the recipe by +0.050" in lines[0]
    assert said in lines[-1]
    assert ahead_of(winner, recipe)[0] == pytest.approx(sum(gains) / 4)


def test_a_study_without_a_winner_says_so(searched: StudyFolder, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "none")
    folder.path.mkdir()
    with pytest.raises(StudyError, match="holds no study"):
        contest_of(folder)


@pytest.mark.slow
def test_a_confirmation_goes_on_where_it_was_stopped(searched: StudyFolder) -> None:
    configuration = TrainConfig(**{**TINY, "epochs": 1}).model_dump()
    one = Contest({RECIPE: configuration, WINNER: {**configuration, "learning_rate": 3e-3}}, 1, 0.1, "macro_f1")
    first = train(searched, one, repeats=1, workers=2)
    kept = searched.path / "confirm.jsonl"
    kept.write_text(kept.read_text() + '\n{"name": "torn')
    again = train(searched, one, repeats=2, workers=2)
    found = repeats_of(again, one)
    assert [a.score for a in found[RECIPE]][:1] == [a.score for a in first if a.name == RECIPE]
    assert {name: len(done) for name, done in found.items()} == {RECIPE: 2, WINNER: 2}
