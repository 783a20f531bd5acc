"""A budget to the letter: what may begin, what no more, and when a target is met."""

import pytest

from schedulers.next_work import stop_reason
from schedulers.proposal import Proposal
from schedulers.spending.budget import HOPED_SPEED, RESERVE, Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies import STRATEGIES
from schedulers.strategies.expectations import ENOUGH, with_prior
from schedulers.strategies.fold_ladder import Field
from schedulers.strategy import Outlook
from studies.record.events import ClimbStarted, EpochScored, Event, RungReached, TrialAdded
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from tests.toys.search import EPOCHS, climb_of

STRATEGY = STRATEGIES["fold_ladder"](epochs=EPOCHS, folds=3)


def added(trial: int, origin: str = "tpe", expected: float | None = None) -> TrialAdded:
    return TrialAdded(time=0, trial=trial, configuration={}, origin=origin, expected=expected)


def running(trial: int, fold: int = 0, epoch: int = EPOCHS) -> ClimbStarted:
    return ClimbStarted(time=0, trial=trial, fold=fold, epoch=epoch, attempt=9)


def timed(trial: int, fold: int, epoch: int, seconds: float) -> EpochScored:
    return EpochScored(time=0, trial=trial, fold=fold, epoch=epoch, score=0.5, seconds=seconds)


def of(*events: Event) -> StudyState:
    return StudyState(events)


def test_fold_epochs_are_spent_when_those_that_run_would_exceed_them() -> None:
    study = of(added(0), *climb_of(0, 0, [0.5] * 6))
    budget = Budget(5, fold_epochs=8)
    assert [budget.spent(study, 0.0, more) is None for more in (1, 2, 3)] == [True, True, False]
    assert budget.spent(study, 0.0, 3) == "the budget of 8 fold-epochs is spent"


def test_a_time_budget_is_spent_when_its_last_second_is() -> None:
    budget = Budget(5, seconds=60)
    assert budget.spent(of(), 59.9, 1) is None
    assert budget.spent(of(), 60.0, 1) == "the time budget of 1m 00s is spent"


def test_a_fold_begins_only_if_it_may_end_in_time_at_the_speed_so_far_or_a_little_faster() -> None:
    study = of(added(0), *(timed(0, 0, epoch, 2.0) for epoch in range(4)))
    fits = 100 - HOPED_SPEED * 5 * 2.0
    budget = Budget(5, seconds=100)
    assert budget.fits(study, study.trials[0], 5, fits)
    assert not budget.fits(study, study.trials[0], 5, fits + 0.01)
    assert Budget(5).fits(study, study.trials[0], 5, 1e9), "nothing limits the time"
    assert budget.fits(of(added(0)), of(added(0)).trials[0], 5, 99.0), "nobody knows the speed yet"


def test_a_trial_whose_epochs_take_longer_needs_more_of_the_time() -> None:
    study = of(added(0), added(1), timed(0, 0, 0, 1.0), timed(1, 0, 0, 3.0))
    budget = Budget(5, seconds=100)
    assert budget.fits(study, study.trials[0], 10, 100 - HOPED_SPEED * 10 * 1.0)
    assert not budget.fits(study, study.trials[1], 10, 100 - HOPED_SPEED * 10 * 3.0 + 0.01)


def test_one_more_trial_reaches_a_rung_beside_what_runs_and_what_the_recipe_is_owed() -> None:
    study = of(added(0, "recipe"), added(1), *climb_of(1, 0, [0.5] * 2), running(0), running(1, 1, 6))
    left = Budget(
        5, fold_epochs=2 + 6 + 4 + 3
    )  # trained, running in trial 1, owed to the recipe, and the three asked for
    assert left.reaches(study, 0.0, 3, owed=4)
    assert not left.reaches(study, 0.0, 4, owed=4)
    assert left.reaches(study, 0.0, 7, owed=0), "of the recipe only what is owed counts, climbing or not"
    assert not left.reaches(study, 0.0, 8, owed=0)


def test_one_more_trial_reaches_a_rung_in_time_with_a_reserve() -> None:
    study = of(added(0), *(timed(0, 0, epoch, 2.0) for epoch in range(4)))
    budget = Budget(5, seconds=100)
    assert budget.reaches(study, 100 - RESERVE * 3 * 2.0, 3)
    assert not budget.reaches(study, 100 - RESERVE * 3 * 2.0 + 0.01, 3)


def test_on_slots_that_are_shared_a_second_costs_what_a_study_has_of_them() -> None:
    study = of(added(0), added(1), timed(0, 0, 0, 2.0), running(1))
    alone, shared = Budget(5, seconds=100), Budget(5, seconds=100, shared_slots=4)
    assert not alone.fits(study, study.trials[0], 10, 85.0)
    assert shared.fits(study, study.trials[0], 10, 100 - HOPED_SPEED * 10 * 2.0 * 2 / 4)
    assert not shared.fits(study, study.trials[0], 10, 100 - HOPED_SPEED * 10 * 2.0 * 2 / 4 + 0.01)


def test_what_is_left_is_the_smaller_of_both_budgets_and_never_less_than_nothing() -> None:
    study = of(added(0), *(timed(0, 0, epoch, 2.0) for epoch in range(4)))
    assert Budget(5).fold_epochs_left(study, 2, 0.0) == float("inf")
    assert Budget(5, fold_epochs=10).fold_epochs_left(study, 2, 0.0) == 6
    timely = Budget(5, seconds=100).fold_epochs_left(study, 2, 54.0)
    assert timely == pytest.approx(46 * 2 / (2.0 * RESERVE))
    assert Budget(5, seconds=100, fold_epochs=10).fold_epochs_left(study, 2, 54.0) == 6
    assert Budget(5, seconds=100).fold_epochs_left(study, 2, 101.0) == 0


@pytest.mark.parametrize(("score", "met"), [(0.79, False), (0.8, True), (0.81, True)])
def test_a_target_is_met_by_exactly_its_score_over_all_folds(score: float, met: bool) -> None:
    whole = [event for fold in range(3) for event in climb_of(0, fold, [0.5] * EPOCHS)]
    top = RungReached(time=0, trial=0, folds=3, epoch=EPOCHS, score=score)
    study = of(added(0), *whole, top)
    reason = stop_reason(study, STRATEGY, Budget(5, target_score=0.8), 0.0)
    assert (reason is not None) is met
    first = of(added(0), *climb_of(0, 0, [0.9] * EPOCHS))
    assert stop_reason(first, STRATEGY, Budget(5, target_score=0.8), 0.0) is None, "one fold is not all"


def test_stopping_asha_lets_pass_who_reaches_the_quantile_of_those_that_came_before() -> None:
    asha = STRATEGIES["stopping_asha"](epochs=EPOCHS, folds=3, reduction_factor=4)
    rung = asha.rungs.first

    def passes(*scores: float) -> bool:
        events = [added(trial) for trial in range(len(scores))]
        arrived = [
            RungReached(time=0, trial=n, folds=1, epoch=rung.epoch, score=score) for n, score in enumerate(scores)
        ]
        study = of(*events, *arrived)
        return bool(asha._passes(study, study.trials[len(scores) - 1], rung))  # type: ignore[attr-defined]

    assert passes(0.1), "nobody came before"
    assert passes(0.0, 1.0, 2.0, 3.0, 2.25)
    assert not passes(0.0, 1.0, 2.0, 3.0, 2.24)
    assert not passes(0.5, 0.6, 0.7, 0.0), "a score of nothing is the lowest"
    assert passes(-0.5, -0.6, -0.7, 0.0)


def test_expectations_that_the_scores_turn_round_count_no_more() -> None:
    def order(*expected: float | None) -> list[int]:
        trials = of(*(added(trial, expected=value) for trial, value in enumerate(expected))).trials.values()
        return [trial.number for trial in with_prior(list(trials), 0.9)]

    assert order(0.1, 0.9) == [1, 0], "few say nothing against what is expected"
    turned = [place / 10 for place in range(ENOUGH)]
    assert order(*turned) == list(range(ENOUGH))
    assert order(*turned[1:]) == list(range(ENOUGH - 1))[::-1]
    assert order(None, None) == [0, 1]
    assert order(0.5, 0.9, None) == [1, 2, 0] or order(0.5, 0.9, None)[0] == 1


def test_to_every_look_come_at_most_as_many_as_the_look_before_sends_on() -> None:
    study = of(added(0), added(1))
    promotions = Field(STRATEGY, study, Outlook(contenders=16))
    assert promotions._coming[0] == 16
    assert promotions._coming[1:] == [min(promotions._coming[n], promotions._quotas[n]) for n in range(2)]


def test_asha_waits_for_those_that_climb_to_a_rung_and_for_nobody_who_rests_below_it() -> None:
    asha = STRATEGIES["asha"](epochs=EPOCHS, folds=3)
    rung = asha.rungs.inside_first_fold[1]
    below = [added(trial) for trial in range(2)]
    resting = of(*below, *climb_of(0, 0, [0.5]), *climb_of(1, 0, [0.4]))
    promoted = asha._promotable(resting, asha.rungs.first, closed=True)  # type: ignore[attr-defined]
    assert asha._on_the_way(resting, rung) is bool(promoted)  # type: ignore[attr-defined]
    lowest = asha.rungs.first
    assert asha._on_the_way(resting, lowest) is False  # type: ignore[attr-defined]
    assert asha._on_the_way(of(*below, running(0)), lowest) is True  # type: ignore[attr-defined]
    assert asha._on_the_way(of(*below), lowest) is False  # type: ignore[attr-defined]


class Quick:
    """Epochs of a millisecond."""

    def propose(self, number: int, study: StudyState) -> Proposal:
        return Proposal({"learning_rate": number / 10}, "recipe" if number == 0 else "random")

    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        return 0.5

    def seconds(self, trial: TrialState) -> float:
        return 0.001


def test_a_simulated_search_begins_at_its_first_second() -> None:
    study = Simulation(STRATEGY, Budget(3), 1, Quick()).run()
    assert study.elapsed == pytest.approx(0.001 * study.fold_epochs)
