"""The embedded example is a search, on a quick machine and on a busy one: what its five minutes come to, simulated."""

from dataclasses import replace

import pytest

from launch.fit.sizes import sizes_for
from launch.initial_configurations import PORTFOLIO_SHARE
from schedulers.budget_settings import make_budget
from schedulers.search_settings import make_strategy
from schedulers.spending.forecast import AnyScore
from schedulers.spending.simulation import Simulation
from search_spaces import load_space
from search_spaces.portfolio import FOLDER, SHIPPED, find_portfolio, read_portfolio
from studies.metrics import METRICS
from trainables.config import train_config

PICTURES = 840  # outside the holdout: 120 persons, seven each
SMALLER = 1.25  # times as many pictures of 48 pixels as of 64: `python -m benchmarks.example_settings`
STARTING = 14.0  # seconds of the budget until the first epochs begin: two processes import torch
PREDICTED = 4  # pictures are predicted in the time in which a single picture is trained


@pytest.mark.parametrize(("speed", "begun", "sampled", "complete"), [(100, 16, 4, 3), (40, 8, 0, 2)])
@pytest.mark.parametrize("name", ["age", "gender", "mask"])
def test_on_two_cores_the_example_begins_and_completes_enough_to_compare(
    name: str, speed: float, begun: int, sampled: int, complete: int
) -> None:
    space = load_space(name, knobs=train_config(), metrics=METRICS, profile="cpu")
    trained = PICTURES * (1 - 1 / space.search.folds)
    space = space.with_sizes(sizes_for(round(trained)))
    strategy, budget = make_strategy(space), make_budget(space)
    seconds = (trained + (PICTURES - trained) / PREDICTED) / (speed * SMALLER)
    assert budget.seconds is not None
    budget = replace(budget, seconds=budget.seconds - STARTING)
    study = Simulation(strategy, budget, 2, AnyScore(seconds)).run()
    first = min(read_portfolio(find_portfolio(SHIPPED, FOLDER)).first, space.search.trials // PORTFOLIO_SHARE)
    assert len(study.trials) >= begun
    assert len(study.trials) - 1 - first >= sampled or not sampled
    assert sum(strategy.rungs.top in trial.scores for trial in study.trials.values()) >= complete
