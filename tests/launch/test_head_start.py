"""Configurations that users bring: another study's best, and a list of their own."""

from pathlib import Path

import pytest

from launch.initial_configurations import enqueued, warm_start
from search_spaces import Choice, Range, SearchSettings, SearchSpace, SpaceError
from studies.errors import StudyError
from studies.identity import Identity
from studies.study import begin_or_continue
from studies.study_folder import StudyFolder
from tests.toys.search import ToyDriver, toy_space
from trainables.config import TrainConfig


def space(**search: object) -> SearchSpace:
    """A space of another task that varies more, and the learning rate less far."""
    plain = toy_space()
    settings = SearchSettings(trials=40, folds=3, **search)
    fields = {
        "task": "other",
        "parameters": {"learning_rate": Range(low=0.6, high=1.0), "optimizer": Choice(choice=("sgd", "adamw"))},
        "defaults": TrainConfig().model_dump(),
        "search": settings,
    }
    return plain.model_copy(update=fields)


@pytest.fixture
def other(tmp_path: Path) -> StudyFolder:
    """A finished toy study with its files."""
    folder = StudyFolder(tmp_path / "other")
    folder.path.mkdir()
    toy = toy_space(trials=20)
    begin_or_continue(folder, Identity(toy, {"classes": ["a", "b"]}, {"digest": "s"}), {})
    ToyDriver(folder.record, toy).start().finish()
    return folder


def test_the_best_configurations_of_another_study_come_first_as_far_as_this_space_has_them(other: StudyFolder) -> None:
    begins = warm_start(other, space(), ["x", "y", "z"])
    proposals, notes = begins.queue, begins.notes
    assert len(proposals) == 8, "a quarter of 40 trials, but those that are moved to the end of the range are one"
    rates = [proposal.configuration["learning_rate"] for proposal in proposals]
    assert abs(rates[0] - 0.7) < 0.1, "the toy's peak"
    assert all(0.6 <= rate <= 1.0 for rate in rates), "what is out of range is moved to its end"
    assert {proposal.origin for proposal in proposals} == {"other"}
    assert "Warm start, other (toy): 8 configurations come before the sampler's" in notes[0]


def test_parameters_that_do_not_exist_here_are_dropped_and_told(other: StudyFolder) -> None:
    narrow = space().model_copy(update={"parameters": {"optimizer": Choice(choice=("sgd", "adamw"))}})
    begins = warm_start(other, narrow, ["a", "b"])
    proposals, notes = begins.queue, begins.notes
    assert all(proposal.configuration["learning_rate"] == narrow.recipe()["learning_rate"] for proposal in proposals)
    assert "left out, as this space fixes them: learning_rate" in notes[0]


def test_a_warm_start_from_the_same_task_with_other_classes_is_refused(other: StudyFolder) -> None:
    same_task = space().model_copy(update={"task": "toy"})
    with pytest.raises(StudyError, match=r"has other classes \(a, b\) than this study's \(a, c\)"):
        warm_start(other, same_task, ["a", "c"])
    assert warm_start(other, same_task, ["a", "b"]).queue


def test_a_warm_start_needs_a_study_with_scores(tmp_path: Path, other: StudyFolder) -> None:
    with pytest.raises(StudyError, match="holds no study"):
        warm_start(StudyFolder(tmp_path / "nowhere"), space(), [])
    other.record.write_text("")
    with pytest.raises(StudyError, match="no trial of it has a score yet"):
        warm_start(other, space(), [])


def test_a_list_of_own_configurations_is_completed_by_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("- {learning_rate: 0.65, optimizer: sgd}\n- optimizer: adamw\n")
    first, second = enqueued(tmp_path / "own.yaml", space())
    assert (first.configuration["learning_rate"], first.configuration["optimizer"]) == (0.65, "sgd")
    assert second.configuration == {**space().recipe(), "optimizer": "adamw"}
    assert first.origin == "enqueued"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("learning_rate: 0.1", "must be a list of mappings"),
        ("- {learning_rte: 0.1}", r"entry 1: learning_rte: no such knob; did you mean learning_rate"),
        ("- {learning_rate: 0.1}\n- {learning_rate: fast}", "entry 2: learning_rate"),
        ("- {batch_size: 8}", "batch_size: is 32 for all trials of this study"),
        ("- {a: [", "cannot be read"),
    ],
)
def test_a_wrong_entry_is_named(content: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(content)
    with pytest.raises(SpaceError, match=complaint):
        enqueued(tmp_path / "own.yaml", space())


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpaceError, match=r"own\.yaml: cannot be read"):
        enqueued(tmp_path / "own.yaml", space())
