"""Folds of one trial climb side by side: the recipe and the finals use every slot, and nothing is decided otherwise for it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.curves import Replayed, read_table
from schedulers.next_work import Wait, next_work
from schedulers.samplers.projection import by_depth, by_rank
from schedulers.spending.budget import Budget
from schedulers.spending.makespan import makespan
from schedulers.spending.simulation import Simulation
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategy import Climb
from studies.record.events import (
    ClimbEnded,
    ClimbStarted,
    Dropped,
    EpochScored,
    Event,
    Launched,
    PredictionsReplaced,
    RungReached,
    TrialAdded,
)
from studies.state.study_state import StudyState
from studies.trials.failures import Failure
from tests.toys import ROOT
from tests.toys.search import ToyDriver, climb_of, study_of, toy_space

LADDER = FoldLadder(epochs=3, folds=5, finalists=2)


def added(number: int, origin: str = "tpe") -> TrialAdded:
    rate = 0.1 + number / 10
    return TrialAdded(time=0, trial=number, configuration=toy_space().complete({"learning_rate": rate}), origin=origin)


def climbing(study: StudyState, slots: int, budget: Budget | None = None) -> list[Climb]:
    """Fill so many slots from now on, and return the climbs that were begun."""
    begun = list[Climb]()
    while study.climbs() < slots:
        work = next_work(study, LADDER, budget or Budget(len(study.trials)), slots, 0.0)
        if not isinstance(work, Climb):
            break
        begun.append(work)
        study.apply(ClimbStarted(time=0, attempt=study.last_attempt + 1, **vars(work)))
    return begun


def test_the_recipe_takes_every_slot_at_the_start() -> None:
    study = StudyState([added(0, "recipe")])
    assert climbing(study, 3) == [Climb(0, 0, 3), Climb(0, 1, 3), Climb(0, 2, 3)]
    for event in climb_of(0, 1, [0.5] * 3):
        if not isinstance(event, ClimbStarted):
            study.apply(event)
    assert climbing(study, 3) == [Climb(0, 3, 3)], "the next fold as soon as one is done"


def test_a_first_score_over_five_folds_takes_three_rounds_of_two_slots(tmp_path: Path) -> None:
    table = read_table(ROOT / "benchmarks/tables/digits.jsonl")
    ladder = FoldLadder(table.epochs, table.folds)
    whole: list[float] = []

    def watch(study: StudyState, now: float) -> None:
        if ladder.rungs.top in study.trials[0].scores and not whole:
            whole.append(now)

    judge = Replayed(table, np.arange(8), recipe=True)
    Simulation(ladder, Budget(8), 2, judge, watch=watch).run()
    seconds = float(table.seconds[0])
    assert 3 * table.epochs * seconds <= whole[0] < 3.6 * table.epochs * seconds


def finals(*trials: tuple[int, list[float]]) -> StudyState:
    """Return a study whose trials have trained some folds, one score a fold."""
    events: list[Event] = []
    for number, scores in trials:
        events.append(added(number))
        for fold, score in enumerate(scores):
            events += climb_of(number, fold, [score] * 3)
    return StudyState(events)


def test_finalists_train_first_what_all_are_compared_on_then_the_leader_goes_ahead() -> None:
    study = finals((1, [0.8]), (2, [0.9]))
    assert climbing(study, 4) == [Climb(2, 1, 3), Climb(1, 1, 3), Climb(2, 2, 3), Climb(2, 3, 3)]


def test_under_a_budget_of_fold_epochs_no_fold_is_begun_that_may_not_be_needed() -> None:
    study = finals((1, [0.8, 0.8]), (2, [0.9, 0.9]))
    budget = Budget(2, fold_epochs=100)
    assert climbing(study, 8, budget) == [Climb(1, 2, 3), Climb(2, 2, 3)] or climbing(study, 8, budget) == []
    assert study.climbs() <= 2


def test_one_that_cannot_win_any_more_begins_no_further_fold() -> None:
    study = finals((1, [0.5, 0.5]), (2, [0.9, 0.9]))
    assert {climb.trial for climb in climbing(study, 8)} == {2}


def test_it_waits_where_every_fold_that_may_be_needed_is_being_trained() -> None:
    study = finals((1, [0.9] * 4))
    climbing(study, 2)
    assert next_work(study, LADDER, Budget(1), 2, 0.0) == Wait()


def test_a_fold_that_was_interrupted_goes_on_beside_its_siblings() -> None:
    study = StudyState([added(0, "recipe")])
    climbing(study, 2)
    study.apply(EpochScored(time=0, trial=0, fold=1, epoch=0, score=0.5, seconds=1))
    study.apply(ClimbEnded(time=0, trial=0, fold=1, attempt=2, reason="lost"))
    assert climbing(study, 2) == [Climb(0, 1, 3)]


def side_by_side() -> Iterator[Event]:
    """Yield the events of a trial whose third fold was done before its second, and whose fourth is in the middle."""
    yield added(1)
    yield from climb_of(1, 0, [0.5, 0.6, 0.7])
    for event in climb_of(1, 2, [0.1, 0.2, 0.3]):
        if not isinstance(event, RungReached):
            yield event
    yield ClimbStarted(time=0, trial=1, fold=3, epoch=3, attempt=9)
    yield EpochScored(time=0, trial=1, fold=3, epoch=0, score=0.9, seconds=1)


def test_a_sampler_sees_the_same_of_folds_trained_side_by_side_or_one_after_the_other() -> None:
    space, others = toy_space(), {2: [0.4, 0.5, 0.6], 3: [0.2]}
    parallel, serial = StudyState(side_by_side()), StudyState([added(1), *climb_of(1, 0, [0.5, 0.6, 0.7])])
    for study in (parallel, serial):
        for number, curve in others.items():
            for event in (added(number), *climb_of(number, 0, curve)):
                study.apply(event)
    for projection in (by_depth, by_rank):
        seen, expected = projection(space, parallel, LADDER), projection(space, serial, LADDER)
        assert [(one.state, one.value, one.params) for one in seen] == [
            (one.state, one.value, one.params) for one in expected
        ]


def test_a_fold_that_fails_fails_its_trial_once_and_stops_its_siblings_at_their_next_report(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space(), slots=2).start()
    first, second = driver.run.next_climb(), driver.run.next_climb()
    assert first is not None
    assert second is not None
    assert (first.trial, second.trial, first.fold, second.fold) == (0, 0, 0, 1)
    driver.run.end_climb(first, Failure("not_finite", "nan"))
    trial = driver.run.state.trials[0]
    assert (trial.failure, trial.climbing) == ("not_finite", True)
    assert driver.run.ends_here(second, 1)
    driver.run.end_climb(second, Failure("not_finite", "nan"))
    assert not trial.climbing
    assert sum(event.event == "trial_failed" for event in driver.record.events) == 1


def test_a_lost_process_costs_each_fold_a_try_and_no_other(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space(), slots=2).start()
    first, second = driver.run.next_climb(), driver.run.next_climb()
    assert first is not None
    assert second is not None
    for order in (first, second):
        driver.run.end_climb(order, Failure("lost_process", "its node is gone"))
    trial = driver.run.state.trials[0]
    assert trial.failure is None
    assert [fold.tries_lost for fold in trial.folds.values()] == [1, 1]


def test_weights_that_were_dropped_before_the_last_fold_are_a_climb_of_their_own_afterwards() -> None:
    study = StudyState([Launched(time=0, settings={}, rungs=LADDER.rungs), added(1)])
    for fold in range(4):
        for event in climb_of(1, fold, [0.5] * 3):
            study.apply(event)
    study.apply(Dropped(time=0, trial=1, fold=2, part="weights", bytes=9))
    assert climbing(study, 1) == [Climb(1, 4, 3)]
    for event in climb_of(1, 4, [0.5] * 3):
        study.apply(event)
    assert climbing(study, 1) == [Climb(1, 2, 3)]
    study.apply(PredictionsReplaced(time=0, trial=1, fold=2, score=0.6))
    study.apply(ClimbEnded(time=0, trial=1, fold=2, attempt=study.last_attempt, reason="rung"))
    assert climbing(study, 1) == []
    study.apply(Dropped(time=0, trial=1, fold=2, part="weights", bytes=9))
    assert climbing(study, 1) == [], "dropped from a whole trial: it was not good enough"


@pytest.mark.parametrize(("slots", "busy"), [(2, 0.97), (8, 0.9)])
def test_the_finals_keep_slots_busy(slots: int, busy: float) -> None:
    study = study_of({number: [0.5 + number / 100] * 3 for number in range(3)})
    ladder = FoldLadder(epochs=9, folds=5, finalists=3, race="none")
    lengths = [6.0] * 3 + [9.0] * 12
    assert makespan(lengths, slots) >= sum(lengths) / slots
    for number in study.trials:
        assert ladder.finals(study)[number] is not None
    table = read_table(ROOT / "benchmarks/tables/digits.jsonl")
    spent, ended = [0.0], [0.0]

    def watch(study: StudyState, now: float) -> None:
        spent[0] += study.climbs() * (now - ended[0])
        ended[0] = now

    seconds = np.ones(len(table.seconds))
    even = type(table)(table.name, table.configurations, table.scores, seconds)
    Simulation(ladder, Budget(3), slots, Replayed(even, np.arange(3)), watch=watch).run()
    assert spent[0] / (slots * ended[0]) >= busy - 0.1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.1, 10), max_size=20), st.integers(1, 8))
def test_a_makespan_is_at_most_a_longest_piece_above_the_share_of_a_slot(lengths: list[float], slots: int) -> None:
    least = max([*lengths, sum(lengths) / slots], default=0.0)
    most = sum(lengths) / slots + max(lengths, default=0.0)
    assert least - 1e-9 <= makespan(lengths, slots) <= most + 1e-9
