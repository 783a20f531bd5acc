"""Failed trials push every sampler away, and a setup that fails stops a study only before it has worked."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from schedulers.proposal import Proposal
from schedulers.samplers.failed_neighbours import likely_to_fail
from schedulers.samplers.projection import by_rank
from schedulers.samplers.proposals import ROUNDING
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces import Choice, Range, SearchSpace
from studies.record.events import TrialFailed
from studies.state.study_state import TrialState
from studies.trials.failures import Failure
from tests.toys.search import ToyDriver, study_of, toy_space

LADDER = FoldLadder(epochs=9, folds=5, finalists=2)
LEARNING = ("gp", "tpe", "cmaes")


def memory_space(sampler: str, seed: int = 0) -> SearchSpace:
    """A space in which the larger half of the batch sizes does not fit into memory, and the best is the largest that does."""
    parameters = {"batch_size": Choice(choice=(8, 16, 32, 64, 128)), "learning_rate": Range(low=1e-4, high=1, log=True)}
    defaults = {"epochs": 9, "batch_size": 8, "learning_rate": 0.01}
    space = toy_space(sampler=sampler, trials=40, seed=seed)
    return space.model_copy(update={"parameters": parameters, "defaults": defaults})


def fits(configuration: Mapping[str, Any]) -> bool:
    return bool(configuration["batch_size"] * (1 + configuration["learning_rate"]) < 40)


@cache
def searched(sampler: str, seed: int) -> list[TrialState]:
    """Return the trials of a search that runs out of memory where configurations do not fit."""
    with TemporaryDirectory() as folder:
        return list(search(memory_space(sampler, seed), Path(folder)).run.state.trials.values())


def search(space: SearchSpace, place: Path) -> ToyDriver:
    """Run a search whose trials run out of memory where they do not fit."""

    def score(configuration: Mapping[str, Any], fold_epochs: int) -> float:
        return 0.5 + 0.003 * float(configuration["batch_size"]) + 0.1 * float(configuration["learning_rate"])

    driver = ToyDriver(place / "record.jsonl", space, score=score).start()
    while (order := driver.run.next_climb()) is not None:
        failure = None if fits(order.configuration) else Failure("out_of_memory", "CUDA out of memory")
        while failure is None and driver.run.state.trials[order.trial].epochs_of(order.fold) < order.epoch:
            driver.step(order)
        driver.run.end_climb(order, failure)
    driver.record.close()
    return driver


@pytest.mark.slow
@pytest.mark.parametrize("sampler", LEARNING)
def test_a_sampler_that_learns_avoids_what_fails(sampler: str) -> None:
    def late_failures(name: str) -> int:
        return sum(trial.failure is not None for trial in searched(name, seed=1)[12:])

    by_chance = late_failures("random")
    assert by_chance > 10, "the toy fails often"
    assert late_failures(sampler) < by_chance / 2


@pytest.mark.parametrize("sampler", [*LEARNING, "random", "qmc"])
def test_what_failed_is_not_proposed_again_to_within_rounding(sampler: str) -> None:
    trials, rate = searched(sampler, seed=1), memory_space(sampler).parameters["learning_rate"]
    assert isinstance(rate, Range)
    failed = [trial for trial in trials if trial.failure is not None]
    assert failed
    for one in failed:
        for later in trials[one.number + 1 :]:
            apart = abs(
                rate.position(one.configuration["learning_rate"]) - rate.position(later.configuration["learning_rate"])
            )
            assert apart >= ROUNDING or one.configuration["batch_size"] != later.configuration["batch_size"]


def test_a_failed_trial_is_shown_no_better_than_the_worst_and_equals_share_a_rank() -> None:
    study = study_of({1: [0.5], 2: [0.9], 3: [0.7], 4: [0.7], 5: [0.1], 6: [0.2]})
    for trial in study.trials.values():
        trial.configuration = {"epochs": 9, "learning_rate": 0.1 * trial.number}
    for number in (2, 5):
        study.apply(TrialFailed(time=0, trial=number, failure="out_of_memory", reason=""))
    values = [trial.value for trial in by_rank(toy_space(sampler="gp"), study, LADDER)]
    assert values == pytest.approx([0.6, 0.1, 0.9, 0.9, 0.1, 0.4])


def test_what_a_user_queues_is_tried_although_something_like_it_has_failed(tmp_path: Path) -> None:
    own = [Proposal({"epochs": 9, "learning_rate": rate}, "enqueued") for rate in (0.9, 0.905)]
    driver = ToyDriver(tmp_path / "record", toy_space(trials=4), queue=own).start()
    for _ in range(2):
        order = driver.run.next_climb()
        assert order is not None
        driver.run.end_climb(order, Failure("error", "so it is"))
    following = driver.run.next_climb()
    assert following is not None
    assert following.configuration["learning_rate"] == 0.905


def test_three_outcomes_are_too_few_to_tell_what_is_likely_to_fail() -> None:
    space, study = toy_space(), study_of({1: [0.5], 2: [0.5], 3: [0.5], 4: [0.5]})
    for trial in study.trials.values():
        trial.configuration = {"epochs": 9, "learning_rate": 0.2 * trial.number}
    for number in (1, 2):
        study.apply(TrialFailed(time=0, trial=number, failure="error", reason=""))
    few = [study.trials[number] for number in (1, 2, 3)]
    assert not likely_to_fail(space, {"learning_rate": 0.3}, few)
    assert likely_to_fail(space, {"learning_rate": 0.3}, study.trials.values())
    assert not likely_to_fail(space, {"learning_rate": 0.7}, study.trials.values())
