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
from schedulers.spending.forecast import AnyScore
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
    FoldRewound,
    Launched,
    PredictionsReplaced,
    RungReached,
    TrialAdded,
)
from studies.state.study_state import StudyState
from studies.state.trial_state import TrialState
from studies.trials.failures import Failure
from tests.toys import ROOT
from tests.toys.search import EPOCHS, ToyDriver, climb_of, toy_space

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
        if isinstance(event, ClimbEnded):
            event = event.model_copy(update={"attempt": study.trials[0].fold(1).attempt})
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
    study = finals((1, [0.9, 0.9]), (2, [0.9, 0.9]))
    budget = Budget(2, fold_epochs=100)
    assert sorted(climbing(study, 8, budget), key=lambda climb: climb.trial) == [Climb(1, 2, 3), Climb(2, 2, 3)]


def test_who_is_alone_in_the_race_needs_all_folds_also_under_a_budget_of_fold_epochs() -> None:
    study = finals((1, [0.5, 0.5]), (2, [0.9, 0.9]))
    assert climbing(study, 8, Budget(2, fold_epochs=100)) == [Climb(2, fold, 3) for fold in (2, 3, 4)]


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


def whole_but_for_weights(path: Path) -> ToyDriver:
    """Return a new launch of a study in which a trial has all folds and owes the weights of one."""
    first = ToyDriver(path, toy_space(trials=2)).start()
    while first.run.state.trials.get(0) is None or first.run.state.trials[0].epochs_of(0) < EPOCHS:
        first.tick()
    first.record.append(Dropped(time=0, elapsed=0, trial=0, fold=0, part="weights", bytes=9))
    first.record.close()
    driver = ToyDriver(path, toy_space(trials=2)).start()
    while not driver.run.state.trials[0].has_trained(driver.run.strategy.rungs.top):
        driver.tick()
    return driver


def test_weights_that_are_there_again_are_owed_no_more_though_the_report_of_it_was_lost(tmp_path: Path) -> None:
    driver = whole_but_for_weights(tmp_path / "record")
    trial = driver.run.state.trials[0]
    assert trial.folds[0].owes_weights
    driver.record.close()  # a process trained them again, and the driver died before it heard of it
    again = ToyDriver(tmp_path / "record", toy_space(trials=2)).start({0: list(trial.epochs)})
    assert not again.run.state.trials[0].folds[0].owes_weights
    again.finish()
    assert again.run.state.trials[0].fold_epochs == trial.fold_epochs, "nothing is trained for ever"


def test_a_climber_that_finds_the_weights_there_settles_them(tmp_path: Path) -> None:
    driver = whole_but_for_weights(tmp_path / "record")
    for slot, order in enumerate(driver.slots):
        if order is not None:
            driver.run.end_climb(order)
            driver.slots[slot] = None
    order = driver.run.next_climb()
    assert order is not None
    assert (order.fold, order.epoch) == (0, EPOCHS)
    score = driver.run.state.trials[0].folds[0].epochs[-1].score
    driver.run.take_epoch(order, {"epochs": EPOCHS, "fold": 0, "epoch": EPOCHS - 1, "score": score, "done": True})
    driver.run.end_climb(order)
    driver.finish()
    assert not driver.run.state.trials[0].folds[0].owes_weights


def test_a_fold_that_is_rewound_after_its_predictions_were_replaced_leaves_no_epoch() -> None:
    study = finals((1, [0.5, 0.5]))
    study.apply(PredictionsReplaced(time=0, trial=1, fold=1, score=0.7))
    study.apply(FoldRewound(time=0, trial=1, fold=1, epochs=0))
    assert study.fold_epochs == 3
    assert set(study.trials[1].arrivals) == set(study.trials[1].scores)


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


class Even(AnyScore):
    def fold_score(self, trial: TrialState, fold: int, epoch: int) -> float:
        return 0.5


@pytest.mark.parametrize("slots", [2, 8])
def test_no_slot_idles_in_the_finals_while_a_finalist_has_a_fold_to_train(slots: int) -> None:
    ladder = FoldLadder(epochs=3, folds=5, finalists=3, race="none")
    study = finals((1, [0.8]), (2, [0.9]), (3, [0.7]))
    idle = list[int]()

    def watch(study: StudyState, now: float) -> None:
        waits = any(trial.lacks(fold, 3) for trial in study.trials.values() for fold in range(5))
        idle.append((slots - study.climbs()) * waits)

    found = Simulation(ladder, Budget(3), slots, Even(), watch, begin=lambda: study).run()
    assert all(ladder.rungs.top in trial.scores for trial in found.trials.values())
    assert idle
    assert not any(idle)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0.1, 10), max_size=20), st.integers(1, 8))
def test_a_makespan_is_at_most_a_longest_piece_above_the_share_of_a_slot(lengths: list[float], slots: int) -> None:
    least = max([*lengths, sum(lengths) / slots], default=0.0)
    most = sum(lengths) / slots + max(lengths, default=0.0)
    assert least - 1e-9 <= makespan(lengths, slots) <= most + 1e-9
