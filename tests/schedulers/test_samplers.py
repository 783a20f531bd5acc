"""All samplers by name: what they draw lies in the space, depends on seed and number, and is never tried twice."""

import math
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from schedulers.samplers.ask import Proposal, ask
from schedulers.samplers.registry import SAMPLERS, check_sampler, sampler_in_charge
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces import Choice, Range, SearchSettings, SearchSpace, SpaceError
from studies.state.study_state import StudyState
from tests.toys.search import ToyDriver, toy_space

LADDER = FoldLadder(epochs=9, folds=3)


def conditional(sampler: str, **search: Any) -> SearchSpace:
    """A space with a condition, an integer, a log range and a step."""
    settings = {"trials": 24, "folds": 3, "finalists": 2, **search}
    return SearchSpace(
        name="toy",
        profile=None,
        task="toy",
        data={},
        metric="macro_f1",
        parameters={
            "learning_rate": Range(low=1e-4, high=1.0, log=True),
            "optimizer": Choice(choice=("sgd", "adamw")),
            "momentum": Range(low=0.8, high=0.98, when={"optimizer": "sgd"}),
            "batch_size": Range(low=8, high=64, integer=True, step=8),
        },
        constants={"epochs": 9},
        defaults={"epochs": 9, "learning_rate": 0.5, "optimizer": "adamw", "momentum": 0.9, "batch_size": 32},
        search=SearchSettings(sampler=sampler, **settings),
    )


def gridded(**search: Any) -> SearchSpace:
    grid = {
        "optimizer": Choice(choice=("sgd", "adamw")),
        "momentum": Range(low=0.8, high=0.9, step=0.05, when={"optimizer": "sgd"}),
    }
    return conditional("grid", **search).model_copy(update={"parameters": grid})


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "grid"])
def test_a_search_with_every_sampler_stays_in_the_space_and_repeats_with_its_seed(sampler: str, tmp_path: Path) -> None:
    space = conditional(sampler, trials=16)
    check_sampler(space)

    def configurations(name: str, used: SearchSpace = space) -> list[dict[str, Any]]:
        driver = ToyDriver(tmp_path / name, used).start().finish()
        return [trial.configuration for trial in driver.run.state.trials.values()]

    first = configurations("one")
    assert len(first) == 16
    assert all(space.contains(configuration) for configuration in first)
    assert len({tuple(sorted(space.active(one).items())) for one in first}) == 16
    assert {one["optimizer"] for one in first} == {"sgd", "adamw"}
    assert configurations("two") == first
    assert configurations("other seed", conditional(sampler, seed=1, trials=16)) != first


@pytest.mark.slow
@pytest.mark.parametrize("sampler", [name for name, kind in SAMPLERS.items() if kind.learns])
def test_every_sampler_that_learns_beats_chance_on_a_toy_with_a_known_optimum(sampler: str, tmp_path: Path) -> None:
    def height(configuration: Mapping[str, Any], fold_epochs: int) -> float:
        """Score highest, 1, with adamw at a learning rate of 0.01 and batches of 24."""
        rate = abs(math.log10(configuration["learning_rate"]) + 2) / 2
        return 1 - rate / 2 - 0.3 * (configuration["optimizer"] == "sgd") - abs(configuration["batch_size"] - 24) / 120

    def left(name: str, seed: int) -> float:
        """Return how far the best of 24 trials is from the optimum."""
        space = conditional(name, trials=24, seed=seed)
        driver = ToyDriver(tmp_path / f"{name}{seed}", space, score=height).start().finish()
        return 1 - max(height(trial.configuration, 0) for trial in driver.run.state.trials.values())

    learned, chance = (fmean(left(name, seed) for seed in range(10)) for name in (sampler, "random"))
    assert learned < 0.65 * chance, f"left to the optimum: {learned:.3f}, by chance {chance:.3f}"


def test_a_grid_draws_every_point_once_and_then_the_search_ends(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", gridded()).start().finish()
    drawn = [gridded().active(trial.configuration) for trial in driver.run.state.trials.values()]
    assert len(drawn) == 4
    assert sorted(round(one["momentum"], 2) for one in drawn if "momentum" in one) == [0.8, 0.85, 0.9]


def test_a_grid_over_a_range_without_steps_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"parameters\.learning_rate: a grid needs points"):
        check_sampler(conditional("grid"))


@pytest.mark.parametrize(
    ("sampler", "options", "complaint"),
    [
        ("tpe", {"n_startup_trial": 3}, "did you mean n_startup_trials"),
        ("tpe", {"n_startup_trials": "many"}, "must be like 8"),
        ("random", {"n_startup_trials": 3}, "random has no such option"),
        ("qmc", {"qmc_type": "sobel"}, "sobol"),
        ("gp", {"deterministic_objective": 1}, "must be like False"),
    ],
)
def test_a_wrong_sampler_option_is_named(sampler: str, options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(SpaceError, match=complaint):
        check_sampler(conditional(sampler, sampler_options=options))


def test_an_option_reaches_its_sampler(tmp_path: Path) -> None:
    def late(startup: int) -> dict[str, Any]:
        space = conditional("tpe", sampler_options={"n_startup_trials": startup})
        return ToyDriver(tmp_path / str(startup), space).start().finish().run.state.trials[20].configuration

    assert late(100) != late(4)


def test_a_quasi_random_sequence_fills_the_space_more_evenly_than_chance() -> None:
    space = conditional("qmc")
    drawn = [ask(space, StudyState(), LADDER, number) for number in range(1, 17)]
    eighths = {min(7, (one["batch_size"] - 8) // 8) for one in drawn}
    assert len(eighths) == 8, "sixteen Sobol points, two for every eighth"


def test_what_users_queue_comes_after_the_recipe_and_nothing_is_trained_twice(tmp_path: Path) -> None:
    space = toy_space(trials=5)
    own = [Proposal(space.complete({"learning_rate": rate}), "enqueued") for rate in (0.5, 0.25, 0.25)]
    driver = ToyDriver(tmp_path / "record", space, queue=own).start().finish()
    trials = list(driver.run.state.trials.values())
    assert [trial.origin for trial in trials] == ["recipe", "enqueued", "random", "random", "random"]
    assert trials[1].configuration["learning_rate"] == 0.25, "0.5 is the recipe's"
    again = ToyDriver(tmp_path / "record", toy_space(trials=6), queue=own).start().finish()
    assert again.run.state.trials[5].origin == "random", "the queue is not begun anew"


def test_the_origin_is_who_really_proposed_a_configuration(tmp_path: Path) -> None:
    """A Gaussian process that is sure of a corner gives the same answer again; then its fallback is asked."""
    space = toy_space(sampler="gp", trials=24)
    few = {"learning_rate": Range(low=0.0, high=1.0, step=0.04)}
    trials = (
        ToyDriver(tmp_path / "record", space.model_copy(update={"parameters": few})).start().finish().run.state.trials
    )
    origins = {trial.origin for trial in trials.values()}
    assert {"recipe", "gp"} < origins <= {"recipe", "gp", "tpe", "random"}
    assert [sampler_in_charge("gp", retry) for retry in (0, 1, 6, 7, 400)] == ["gp", "tpe", "tpe", "random", "random"]


def test_a_space_of_three_configurations_is_searched_once_and_the_search_ends(tmp_path: Path) -> None:
    space = toy_space(trials=30)
    space = space.model_copy(update={"parameters": {"learning_rate": Choice(choice=(0.1, 0.5, 0.9))}})
    driver = ToyDriver(tmp_path / "record", space, slots=2).start().finish()
    assert sorted(trial.configuration["learning_rate"] for trial in driver.run.state.trials.values()) == [0.1, 0.5, 0.9]
