"""What a launch says at its first epochs about a time budget, against what a search with it comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from schedulers.next_work import Finished, next_work
from schedulers.spending.affordable import affordable_strategy
from schedulers.spending.budget import Budget
from schedulers.spending.forecast import AnyScore
from schedulers.spending.plan import Plan, planned
from schedulers.spending.simulation import Simulation
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategies.full import Full
from schedulers.strategy import Climb, Strategy
from search_spaces.durations import duration_option, parse_duration
from studies.record.events import EpochScored, RungReached, TrialAdded
from studies.state.study_state import StudyState

SECONDS = 4.0  # a fold-epoch
LADDER = FoldLadder(epochs=9, folds=5)


@given(some.floats(0.1, 1e6))
def test_a_duration_for_an_option_is_one_word_and_never_too_short(seconds: float) -> None:
    written = duration_option(seconds)
    assert " " not in written
    assert seconds <= parse_duration(written) < seconds + 60 + 1e-3


def seconds_of(budget: Budget) -> float:
    assert budget.seconds is not None
    return budget.seconds


def said_and_done(strategy: Strategy, budget: Budget, slots: int) -> tuple[Plan, Plan]:
    """Return the plan that is made at the first epochs of a search, and what the search comes to."""
    plans: list[Plan | None] = []

    def watch(study: StudyState, now: float) -> None:
        if study.fold_epochs >= slots and not plans:
            plans.append(planned(study, strategy, budget, slots, now))

    found = Simulation(strategy, budget, slots, AnyScore(SECONDS), watch).run()
    (plan,) = plans
    assert plan is not None
    complete = sum(strategy.rungs.top in trial.scores for trial in found.trials.values())
    return plan, Plan(seconds_of(budget), len(found.trials), complete, SECONDS * strategy.epochs, ())


@pytest.mark.parametrize("slots", [1, 2, 8])
@pytest.mark.parametrize("seconds", [100, 200, 300, 600, 3_600])
@pytest.mark.parametrize("strategy", [LADDER, Full(epochs=9, folds=5)])
def test_a_search_at_the_measured_speed_comes_to_what_was_said(strategy: Strategy, seconds: float, slots: int) -> None:
    said, done = said_and_done(strategy, Budget(24, seconds), slots)
    assert abs(said.configurations - done.configurations) <= 1
    assert abs(said.complete - done.complete) <= 1
    assert said.first_fold == pytest.approx(done.first_fold)


def first_epochs(count: int = 1, seconds: float = SECONDS) -> StudyState:
    """Return a study that has trained so many epochs of the recipe."""
    study = StudyState()
    study.apply(TrialAdded(time=0, trial=0, configuration={}, origin="recipe"))
    for epoch in range(count):
        study.apply(EpochScored(time=0, trial=0, fold=0, epoch=epoch, score=0.5, seconds=seconds))
    return study


@pytest.mark.parametrize("slots", [1, 2, 8])
@pytest.mark.parametrize("seconds", [1.0, 5.0, 30.0])
def test_where_not_even_the_recipe_fits_the_budget_that_is_named_has_room_for_it(seconds: float, slots: int) -> None:
    study, short = first_epochs(), Budget(24, seconds)
    plan = planned(study, LADDER, short, slots, SECONDS)
    assert plan is not None
    assert not plan.complete
    text = plan.spelled(224)
    longer = parse_duration(text.partition("--time-budget ")[2].partition(" ")[0])
    enough = planned(study, LADDER, Budget(24, longer), slots, SECONDS)
    assert enough is not None
    assert enough.complete >= 1


def test_what_would_fit_is_fewer_folds_or_smaller_images() -> None:
    plan = planned(first_epochs(), LADDER, Budget(24, 90), 2, SECONDS)
    assert plan is not None
    assert "takes about 2m 06s: --time-budget 3m has room for it" in plan.spelled(224)
    assert "a new study would fit with search.folds=4 or image_size=160" in plan.spelled(224)
    shorter = planned(first_epochs(), LADDER, Budget(24, 1), 2, SECONDS)
    assert shorter is not None
    assert "new study" not in shorter.spelled()


def test_a_time_budget_is_not_blamed_for_what_a_budget_of_fold_epochs_ends() -> None:
    plan = planned(first_epochs(), LADDER, Budget(24, 3_600, fold_epochs=10), 2, SECONDS)
    assert plan is not None
    assert "about 1 configuration, 0 of them in full" in plan.spelled()


def test_nothing_is_planned_without_a_time_budget_or_before_the_first_epoch() -> None:
    assert planned(first_epochs(), LADDER, Budget(24), 2, 9.0) is None
    assert planned(StudyState(), LADDER, Budget(24, 300), 2, 9.0) is None


@pytest.mark.parametrize(("slots", "seconds", "finalists"), [(2, 3_600, 3), (32, 120, 3), (32, 80, 1), (8, 110, 1)])
def test_there_are_as_many_finalists_as_get_through_their_folds_in_time(
    slots: int, seconds: float, finalists: int
) -> None:
    """However many slots there are, a first fold and another one take eighteen epochs, 72 seconds."""
    strategy = affordable_strategy(Budget(24, seconds), LADDER, first_epochs(), slots, SECONDS)
    assert strategy.finalists == finalists


def finals_of_a_slow_and_a_fast_trial() -> StudyState:
    """Return a study whose leader takes nine times as long as the other finalist, both with their first fold."""
    study = StudyState()
    for trial, (score, seconds) in enumerate([(0.9, 9.0), (0.8, 1.0)]):
        study.apply(TrialAdded(time=0, trial=trial, configuration={}, origin="tpe"))
        for epoch in range(LADDER.epochs):
            study.apply(EpochScored(time=0, trial=trial, fold=0, epoch=epoch, score=score, seconds=seconds))
        study.apply(RungReached(time=0, trial=trial, folds=1, epoch=LADDER.epochs, score=score))
    return study


def test_where_the_leaders_next_fold_would_end_too_late_another_finalists_is_trained() -> None:
    study = finals_of_a_slow_and_a_fast_trial()
    enough, short, none = (next_work(study, LADDER, Budget(2, left), 1, 0.0) for left in (200.0, 30.0, 5.0))
    assert enough == Climb(0, 1, LADDER.epochs)
    assert short == Climb(1, 1, LADDER.epochs)
    assert isinstance(none, Finished)
    assert "too short for another fold" in none.reason
