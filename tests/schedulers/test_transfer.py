"""The sampler that starts from a portfolio: its Gaussian process, what it believes, and how parallel questions differ."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from schedulers.samplers.ask import Asker
from schedulers.samplers.transfer.encoding import encoded, groups_of
from schedulers.samplers.transfer.gaussian_process import Evidence, GaussianProcess, Likelihood, squares_of
from schedulers.samplers.transfer.known import Known
from schedulers.strategies.expectations import with_prior
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces import Choice, Range, SearchSpace
from search_spaces.drawing import drawn, neighbour
from search_spaces.portfolio import Entry, Portfolio
from studies.record.events import ClimbEnded, ClimbStarted, EpochScored, RungReached, TrialAdded
from studies.state.study_state import StudyState, TrialState
from tests.toys.search import EPOCHS, toy_space

LADDER = FoldLadder(EPOCHS, 3)


def space(**search: object) -> SearchSpace:
    parameters = {
        "learning_rate": Range(low=0.0, high=1.0),
        "optimizer": Choice(choice=("sgd", "adamw")),
        "momentum": Range(low=0.5, high=0.99, when={"optimizer": "sgd"}),
    }
    defaults = {"epochs": EPOCHS, "learning_rate": 0.5, "optimizer": "adamw", "momentum": 0.9, "drop_rate": 0.2}
    toy = toy_space(sampler="transfer_gp", trials=64, **search)
    return toy.model_copy(update={"parameters": parameters, "defaults": defaults})


def portfolio(best: float = 0.7, **fixed: object) -> Portfolio:
    """Return a portfolio of which a learning rate is best."""
    entries = [
        Entry(
            origin=f"{rate:.2f}",
            configuration={"learning_rate": float(rate), "optimizer": "adamw", **fixed},  # type: ignore[dict-item]
            place=float(max(0, 1 - abs(rate - best))),
        )
        for rate in np.linspace(0.05, 0.95, 12)
    ]
    return Portfolio(format=1, metric="macro_f1", sets=("toys",), first=4, configurations=tuple(entries))


def study(rates: list[float], running: int = 0) -> StudyState:
    """Return trials with these learning rates, scored by their distance to 0.3; so many of the last still run."""
    state = StudyState()
    for number, rate in enumerate(rates):
        configuration = space().complete({"learning_rate": rate, "optimizer": "adamw"})
        state.apply(TrialAdded(time=0, trial=number, configuration=configuration, origin="toy"))
        state.apply(ClimbStarted(time=0, trial=number, fold=0, epoch=1, attempt=number + 1))
        if number < len(rates) - running:
            score = 1 - abs(rate - 0.3)
            state.apply(EpochScored(time=0, trial=number, fold=0, epoch=0, score=score, seconds=1))
            state.apply(RungReached(time=0, trial=number, folds=1, epoch=1, score=score))
            state.apply(ClimbEnded(time=0, trial=number, fold=0, attempt=number + 1, reason="rung"))
    return state


def test_the_likelihoods_gradient_is_right() -> None:
    generator = np.random.default_rng(0)
    vectors, guesses = generator.random((20, 4)), generator.normal(size=20)
    evidence = Evidence(vectors, guesses, guesses + np.sin(6 * vectors[:, 0]), np.array([0, 1, 2, 2]))
    likelihood = Likelihood(evidence, squares_of(vectors, vectors, evidence.groups))
    assert check_grad(lambda at: likelihood(at)[0], lambda at: likelihood(at)[1], generator.normal(size=5) * 0.3) < 1e-5


def test_a_process_expects_what_it_has_seen_and_far_away_what_was_guessed() -> None:
    generator = np.random.default_rng(0)
    vectors = generator.random((30, 1))
    outcomes = np.sin(6 * vectors[:, 0])
    process = GaussianProcess(Evidence(vectors, np.zeros(30), outcomes, np.array([0])))
    mean, deviation = process.predict(vectors, np.zeros(30))
    assert np.abs(mean - outcomes).max() < 0.1
    far, unsure = process.predict(np.array([[50.0]]), np.array([0.4]))
    assert far[0] == pytest.approx(0.4, abs=0.01)
    assert unsure[0] > 3 * deviation.max()


def test_what_has_no_part_in_a_configuration_does_not_tell_it_from_others() -> None:
    sgd = [{"learning_rate": 0.5, "optimizer": "sgd", "momentum": one} for one in (0.5, 0.9)]
    adamw = [{"learning_rate": 0.5, "optimizer": "adamw", "momentum": one} for one in (0.5, 0.9)]
    rows = encoded(space(), [*sgd, *adamw])
    assert groups_of(space()).tolist() == [0, 1, 1, 2]
    assert not np.array_equal(rows[0], rows[1])
    assert np.array_equal(rows[2], rows[3])


def test_draws_and_neighbours_lie_in_the_space() -> None:
    generator = np.random.default_rng(0)
    for _ in range(200):
        one = drawn(space(), generator)
        assert space().contains(space().complete(one))
        assert ("momentum" in one) == (one["optimizer"] == "sgd")
        near = neighbour(space(), one, generator, 0.05)
        assert space().contains(space().complete(near))
        assert abs(near["learning_rate"] - one["learning_rate"]) < 0.3


def test_the_points_of_a_range_are_drawn_evenly_its_ends_too() -> None:
    generator = np.random.default_rng(0)
    ranges = {
        (1, 2, 3): Range(low=1, high=3, integer=True),
        (1, 5): Range(low=1, high=8, step=4, integer=True),
        (0.0, 0.6): Range(low=0, high=1, step=0.6),
    }
    for points, parameter in ranges.items():
        values, counts = np.unique([parameter.at(generator.random()) for _ in range(3_000)], return_counts=True)
        assert tuple(values) == points
        assert counts.min() > 0.8 * counts.max()
    whole = Range(low=1, high=4, integer=True, log=True)
    assert {whole.at(place) for place in np.linspace(0, 1, 50)} == {1, 2, 3, 4}
    empty = space().model_copy(update={"parameters": {"kind": Choice(choice=(None, "a"))}})
    assert {neighbour(empty, {}, generator, 0.2)["kind"] for _ in range(20)} == {None, "a"}


def test_before_it_has_seen_much_it_asks_where_other_data_were_best() -> None:
    state = study([0.5, 0.1])
    asked = [Asker(space(seed=seed), LADDER, portfolio()).propose(state, 2) for seed in range(6)]
    rates = [one.configuration["learning_rate"] for one in asked]
    assert np.median(np.abs(np.array(rates) - 0.7)) < 0.15, rates
    assert {one.origin for one in asked} == {"transfer_gp"}


def test_a_study_that_contradicts_its_portfolio_is_believed() -> None:
    state = study([*np.linspace(0.05, 0.95, 16), 0.28, 0.33])
    rates = [
        Asker(space(seed=seed), LADDER, portfolio()).propose(state, 18).configuration["learning_rate"]
        for seed in range(6)
    ]
    assert np.median(np.abs(np.array(rates) - 0.3)) < 0.1, rates


def test_questions_asked_while_others_train_get_other_answers() -> None:
    rates = [*np.linspace(0.05, 0.95, 10)]
    alone = space().model_copy(update={"parameters": {"learning_rate": Range(low=0.0, high=1.0)}})
    asker = Asker(alone, LADDER)
    for _ in range(3):
        state = study(rates, running=len(rates) - 10)
        rates.append(asker.propose(state, 10).configuration["learning_rate"])  # the same number: the same chance
    first, second, third = rates[10:]
    assert min(abs(first - second), abs(second - third), abs(first - third)) > 1e-3


def test_after_a_new_start_the_same_configurations_are_asked_for() -> None:
    rates = [0.1, 0.5, 0.9, 0.2, 0.35, 0.6, 0.75, 0.05, 0.45]
    running, told = Asker(space(), LADDER, portfolio(0.3)), range(5, len(rates))
    answers = [running.propose(study(rates[:count]), count) for count in told]
    assert answers == [Asker(space(), LADDER, portfolio(0.3)).propose(study(rates[:count]), count) for count in told]
    assert answers != [Asker(space(), LADDER).propose(study(rates[:count]), count) for count in told]


def test_only_configurations_that_lie_in_the_space_say_what_others_are_worth() -> None:
    assert Known(space(), portfolio())
    assert not Known(space(), portfolio(drop_rate=0.9))
    assert not Known(space())
    known = Known(space(), portfolio())
    near, far = (known.place(space().complete({"learning_rate": one, "optimizer": "adamw"})) for one in (0.7, 0.05))
    assert near is not None
    assert far is not None
    assert 1 >= near > 0.8 > far >= 0


def test_a_place_at_a_look_is_given_by_scores_and_by_what_other_data_say() -> None:
    trials = [TrialState(one, {}, "toy", expected) for one, expected in enumerate([0.1, 0.9, 0.5, None])]
    assert with_prior(trials, 0.0) == trials
    assert [one.number for one in with_prior(trials, 0.5)] == [1, 0, 2, 3]
    assert [one.number for one in with_prior(trials, 1.0)] == [1, 2, 3, 0]


def test_expectations_that_the_scores_turn_round_do_not_count() -> None:
    trials = [TrialState(one, {}, "toy", one / 10) for one in range(10)]
    assert with_prior(trials, 0.5) == trials
