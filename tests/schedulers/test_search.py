"""Who goes on, and that no stop, crash or extension changes it."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schedulers.next_work import Finished, Wait, next_work
from schedulers.spending.affordable import look_ahead
from schedulers.spending.budget import Budget
from schedulers.spending.forecast import expected_fold_epochs, seconds_left
from schedulers.strategies.asha import Asha
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategy import Climb, NewTrial, earned_rungs
from studies.record.events import (
    ClimbEnded,
    ClimbStarted,
    EpochScored,
    Event,
    Launched,
    RungReached,
    TrialAdded,
    TrialFailed,
)
from studies.record.record import read_record
from studies.state.ranking import ranked_at
from studies.state.rungs import Rung, Rungs
from studies.state.study_state import StateError, StudyState
from studies.trials.failures import LOST, Failure
from tests.toys.search import ToyDriver, ToyFolders, events_of, peak, study_of, toy_space

LADDER = FoldLadder(epochs=9, folds=5)
quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_there_are_three_looks_inside_the_first_fold_and_then_it_goes_fold_by_fold() -> None:
    def costs(rungs: Rungs) -> list[int]:
        return [rungs.cost(rung) for rung in rungs.levels]

    assert costs(LADDER.rungs) == [1, 2, 3, 9, 18, 27, 36, 45]
    assert LADDER.rungs.levels[2:5] == ((1, 3), (1, 9), (2, 9))
    assert costs(FoldLadder(epochs=9, folds=2, grace_period=2, looks=2).rungs) == [2, 4, 9, 18]
    assert costs(FoldLadder(epochs=3, folds=2).rungs) == [1, 2, 3, 6]
    assert costs(Asha(epochs=30, folds=2).rungs) == [1, 3, 9, 27, 30, 60]
    assert costs(FoldLadder(epochs=1, folds=2).rungs) == [1, 2]
    assert costs(FoldLadder(epochs=9, folds=2, grace_period=20).rungs) == [9, 18]


@given(st.integers(1, 60), st.integers(2, 10), st.integers(1, 70), st.integers(2, 5))
def test_rungs_rise_and_end_at_all_epochs_of_all_folds(epochs: int, folds: int, grace: int, factor: int) -> None:
    rungs = FoldLadder(epochs, folds, grace_period=grace, looks=factor).rungs
    assert list(rungs.levels) == sorted(set(rungs.levels))
    assert rungs.cost(rungs.top) == rungs.whole == epochs * folds
    assert [Rung(fold, epochs) for fold in range(1, folds + 1)] == list(rungs.levels[-folds:])


def test_the_first_trial_of_a_rung_is_not_promoted_because_it_is_alone() -> None:
    study = study_of({0: [0.1], 1: [0.9]})
    assert next_work(study, LADDER, Budget(10), 1, 0) == NewTrial()


def test_eager_promotion_sends_the_best_of_three_on_at_once() -> None:
    study = study_of({1: [0.5], 2: [0.9], 3: [0.1]})
    assert next_work(study, Asha(epochs=9, folds=5), Budget(10), 1, 0) == Climb(2, 0, 3)


def test_the_recipe_climbs_to_the_top_whatever_it_scores_and_takes_no_place_on_the_ladder() -> None:
    study = study_of({0: [0.99], 1: [0.5], 2: [0.4], 3: [0.3]}, {0: "recipe"})
    assert next_work(study, LADDER, Budget(10), 1, 0) == Climb(0, 0, 9)
    top = study_of({0: [0.99] * 45, 1: [0.5], 2: [0.4], 3: [0.3]}, {0: "recipe"})
    assert next_work(top, Asha(epochs=9, folds=5), Budget(10), 1, 0) == Climb(1, 0, 3)


def test_what_a_crash_interrupted_goes_on_first() -> None:
    study = study_of({1: [0.5], 2: [0.9], 3: [0.1]})
    study.apply(ClimbStarted(time=0, trial=3, fold=0, epoch=3, attempt=2))
    study.apply(ClimbEnded(time=0, trial=3, fold=0, attempt=2, reason="stopped"))
    assert next_work(study, LADDER, Budget(10), 1, 0) == Climb(3, 0, 2)


def test_half_go_on_from_every_look_and_the_finalists_from_the_last() -> None:
    assert [LADDER.quota(index, 32) for index in (0, 1, 2)] == [16, 8, 3]
    assert [LADDER.quota(index, 3) for index in (0, 1, 2)] == [3, 3, 3]
    assert [FoldLadder(epochs=9, folds=5, finalists=1).quota(index, 36) for index in (0, 1, 2)] == [18, 9, 1]
    assert [FoldLadder(epochs=9, folds=5, keep=0.25, looks=2).quota(index, 32) for index in (0, 1)] == [8, 3]


def test_it_waits_only_while_a_climb_is_in_flight() -> None:
    study = study_of({1: [0.5] * 27})
    for fold in (3, 4):
        study.apply(ClimbStarted(time=0, trial=1, fold=fold, epoch=9, attempt=fold))
    assert next_work(study, LADDER, Budget(1), 3, 0) == Wait()
    study.apply(ClimbEnded(time=0, trial=1, fold=3, attempt=3, reason="stopped"))
    assert next_work(study, LADDER, Budget(1), 2, 0) == Climb(1, 3, 9)


def test_three_first_trials_that_fail_alike_stop_the_study() -> None:
    study = StudyState()
    for number in range(3):
        study.apply(TrialAdded(time=0, trial=number, configuration={}, origin="tpe"))
        study.apply(ClimbStarted(time=0, trial=number, fold=0, epoch=1, attempt=number + 1))
        study.apply(TrialFailed(time=0, trial=number, failure="error", reason=f"no such file: {number}.jpg"))
    work = next_work(study, LADDER, Budget(9), 1, 0)
    assert isinstance(work, Finished)
    assert "failed alike (error): no such file" in work.reason


def test_three_trials_that_fail_after_one_that_worked_stop_nothing() -> None:
    study = study_of({0: [0.5]}, {0: "recipe"})
    for number in range(1, 4):
        study.apply(TrialAdded(time=0, trial=number, configuration={}, origin="tpe"))
        study.apply(ClimbStarted(time=0, trial=number, fold=0, epoch=1, attempt=number + 1))
        study.apply(TrialFailed(time=0, trial=number, failure="not_finite", reason=""))
    assert not isinstance(next_work(study, LADDER, Budget(9), 1, 0), Finished)


def test_a_record_that_tells_of_a_trial_nobody_added_says_what_to_do() -> None:
    with pytest.raises(StateError, match=r"trial 4, which was never added; python -m analysis\.check"):
        StudyState([ClimbStarted(time=0, trial=4, fold=0, epoch=1, attempt=1)])


def test_each_of_two_budgets_must_have_room_for_a_first_rung() -> None:
    study = StudyState([Launched(time=0, settings={}), *events_of({1: [0.5] * 3, 2: [0.6] * 3})])
    assert Budget(99, seconds=90, fold_epochs=900).reaches(study, 80, 3)
    assert not Budget(99, seconds=90, fold_epochs=900).reaches(study, 88, 3)
    assert Budget(99, seconds=90, fold_epochs=9).reaches(study, 80, 3)
    assert not Budget(99, seconds=90, fold_epochs=8).reaches(study, 80, 3)


def test_when_time_runs_short_finalists_go_before_new_trials() -> None:
    study = study_of({1: [0.5] * 3, 2: [0.9] * 3, 3: [0.1], 4: [0.2]})
    ladder = FoldLadder(epochs=3, folds=2, finalists=1)
    study.apply(Launched(time=0, settings={}))
    assert next_work(study, ladder, Budget(99, seconds=9.5), 1, 3) == NewTrial()
    assert next_work(study, ladder, Budget(99, seconds=9.5), 1, 6.2) == Climb(2, 1, 3)
    assert isinstance(next_work(study, ladder, Budget(99, seconds=9.5), 1, 7.5), Finished), "part of a fold cannot vote"


@quick
@given(
    slots=st.integers(1, 4),
    trials=st.integers(1, 25),
    places=st.integers(1, 4),
    factor=st.integers(2, 4),
    seed=st.integers(0, 999),
)
def test_every_study_ends_with_the_recipe_and_all_finalists_at_the_top(
    tmp_path_factory: pytest.TempPathFactory, slots: int, trials: int, places: int, factor: int, seed: int
) -> None:
    space = toy_space(trials=trials, finalists=min(places, trials), looks=factor, seed=seed)
    driver = ToyDriver(tmp_path_factory.mktemp("s") / "record.jsonl", space, slots=slots, seed=seed).start().finish()
    state, ladder = driver.run.state, driver.run.strategy
    assert len(state.trials) == trials
    assert state.trials[0].fold_epochs == ladder.rungs.whole
    through_a_fold = [
        trial for trial in state.trials.values() if trial.fold_epochs >= ladder.epochs and trial.number > 0
    ]
    assert len(through_a_fold) >= min(places, trials - 1)
    assert all(trial.fold_epochs == ladder.rungs.cost(trial.standing(ladder.rungs)) for trial in state.trials.values())
    assert all(trial.fold_epochs == ladder.rungs.whole for trial in ladder.finals(state))


@quick
@given(seed=st.integers(0, 999), slots=st.integers(1, 3), cut=st.floats(0, 1))
def test_a_crash_at_any_event_loses_no_trial_and_doubles_none(
    tmp_path_factory: pytest.TempPathFactory, seed: int, slots: int, cut: float
) -> None:
    folder = tmp_path_factory.mktemp("s")
    space = toy_space(seed=seed)
    whole = ToyDriver(folder / "whole.jsonl", space, slots=slots, seed=seed).start().finish()
    lines = (folder / "whole.jsonl").read_bytes().split(b"\n")[:-1]
    kept = lines[: max(1, int(cut * len(lines)))]
    (folder / "cut.jsonl").write_bytes(b"\n".join(kept) + b"\n")
    resumed = ToyDriver(folder / "cut.jsonl", space, slots=slots, seed=seed).start().finish()
    state = resumed.run.state
    assert sorted(state.trials) == list(range(12))
    for trial in state.trials.values():
        for fold in trial.folds.values():
            assert [epoch.epoch for epoch in fold.epochs] == list(range(len(fold.epochs)))
    assert state.trials[0].fold_epochs == whole.run.strategy.rungs.whole


def test_a_serial_study_is_the_same_decision_by_decision_also_across_a_crash(tmp_path: Path) -> None:
    space = toy_space(sampler="tpe", trials=16)

    def decisions(path: Path) -> list[tuple[object, ...]]:
        return [
            (event.trial, event.configuration)
            if isinstance(event, TrialAdded)
            else (event.trial, event.fold, event.epoch, event.score)
            for event in read_record(path)
            if isinstance(event, TrialAdded | EpochScored)
        ]

    ToyDriver(tmp_path / "one.jsonl", space).start().finish()
    ToyDriver(tmp_path / "two.jsonl", space).start().finish()
    crashed = ToyDriver(tmp_path / "three.jsonl", space).start()
    for _ in range(40):
        crashed.tick()
    crashed.record.close()
    ToyDriver(tmp_path / "three.jsonl", space).start().finish()
    assert decisions(tmp_path / "one.jsonl") == decisions(tmp_path / "two.jsonl") == decisions(tmp_path / "three.jsonl")


def test_epochs_that_a_folder_has_and_the_record_lacks_are_recorded_at_start(tmp_path: Path) -> None:
    space = toy_space()
    crashed = ToyDriver(tmp_path / "record.jsonl", space).start()
    order = crashed.run.next_climb()
    assert order is not None
    crashed.record.close()
    saved = [EpochScored(time=0, trial=0, fold=0, epoch=0, score=0.5, seconds=1)]
    resumed = ToyDriver(tmp_path / "record.jsonl", space).start({0: saved})
    assert resumed.run.state.trials[0].fold_epochs == 1
    following = resumed.run.next_climb()
    assert following is not None
    assert (following.trial, following.fold, following.epoch, following.attempt) == (0, 0, 9, 2)


def test_an_epoch_that_was_saved_but_never_reported_is_taken_over_when_its_process_is_lost(tmp_path: Path) -> None:
    saved: dict[int, list[EpochScored]] = {}
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space()).start(saved)
    order = driver.run.next_climb()
    assert order is not None
    saved[0] = [EpochScored(time=0, trial=0, fold=0, epoch=0, score=0.5, seconds=1)]
    driver.run.end_climb(order, LOST)
    assert driver.run.state.trials[0].fold_epochs == 1
    following = driver.run.next_climb()
    assert following is not None
    assert (following.trial, following.fold, following.epoch) == (0, 0, 9)


def test_another_grace_period_strands_no_trial(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    ToyDriver(path, toy_space(trials=8)).start().finish()
    larger = ToyDriver(path, toy_space(trials=16, grace_period=2)).start().finish()
    rungs = larger.run.strategy.rungs
    assert all(trial.fold_epochs == rungs.cost(trial.standing(rungs)) for trial in larger.run.state.trials.values())
    assert len(larger.run.state.trials) == 16


@pytest.mark.parametrize("seconds", [30, 45, 60, 100])
def test_a_tight_time_budget_is_used_to_its_end(tmp_path: Path, seconds: float) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=99, time_budget=seconds), slots=2).start().finish()
    assert driver.clock.now >= 0.85 * seconds
    assert len(driver.run.state.trials) > 2


def test_a_mended_setup_can_go_on_after_trials_that_failed_alike(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    driver = ToyDriver(path, toy_space()).start()
    for _ in range(3):
        order = driver.run.next_climb()
        assert order is not None
        driver.run.end_climb(order, Failure("error", "no such file"))
    assert driver.run.next_climb() is None
    assert "failed alike" in str(driver.run.finished)
    driver.record.close()
    mended = ToyDriver(path, toy_space()).start().finish().run.state
    assert len(mended.trials) == 12
    assert not any(trial.failure for trial in mended.trials.values()), "what failed for the setup is tried again"
    assert mended.trials[0].fold_epochs == 27


def fail_three(driver: ToyDriver, kind: str = "error") -> None:
    for _ in range(3):
        order = driver.run.next_climb()
        assert order is not None
        for _ in range(2):  # what is tried again fails again
            if driver.run.state.trials[order.trial].failure is None:
                driver.run.end_climb(order, Failure(kind, "no such file"))


def test_failures_that_begin_a_launch_of_a_study_that_works_stop_nothing(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    ToyDriver(path, toy_space(trials=4)).start().finish()
    driver = ToyDriver(path, toy_space(trials=12)).start()
    fail_three(driver)
    assert driver.run.next_climb() is not None
    assert "failed alike" not in str(driver.run.finished)


def test_another_setup_has_to_prove_itself_anew(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    ToyDriver(path, toy_space(trials=4)).start().finish()
    driver = ToyDriver(path, toy_space(trials=12))
    driver.run.start({}, ToyFolders({}, driver.run.state), setup="another machine")
    fail_three(driver)
    assert driver.run.next_climb() is None
    assert "failed alike" in str(driver.run.finished)


def test_a_trial_is_taken_back_once_and_one_that_diverged_never(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    for kind in ("error", "error", "not_finite"):
        driver = ToyDriver(path, toy_space())
        driver.run.start({}, ToyFolders({}, driver.run.state))
        fail_three(driver, kind)
        driver.record.close()
    state = ToyDriver(path, toy_space()).start().finish().run.state
    failed = {number: trial.failure for number, trial in state.trials.items() if trial.failure}
    assert failed == {0: "error", 1: "error", 2: "error", 3: "not_finite", 4: "not_finite", 5: "not_finite"}
    assert len(state.trials) == 12, "the study goes on with what is left"


def test_three_first_trials_that_diverge_do_not_stop_a_study(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space()).start()
    fail_three(driver, "not_finite")
    assert driver.run.next_climb() is not None


def test_a_trial_that_dies_with_its_driver_keeps_its_second_try(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space()).start()
    order = driver.run.next_climb()
    assert order is not None
    driver.run.stop()
    driver.run.end_climb(order, LOST)
    assert driver.run.state.trials[0].tries_lost == 0
    assert driver.run.state.trials[0].failure is None


@pytest.mark.parametrize("slots", [1, 2, 4])
@pytest.mark.parametrize("fold_epochs", range(54, 140, 9))
def test_a_budget_of_fold_epochs_is_never_passed_and_always_brings_a_finalist_through(
    tmp_path: Path, slots: int, fold_epochs: int
) -> None:
    space = toy_space(trials=60, finalists=3, fold_epochs=fold_epochs)
    driver = ToyDriver(tmp_path / "record.jsonl", space, slots=slots).start().finish()
    study, top = driver.run.state, driver.run.strategy.rungs.whole
    assert 0.75 * fold_epochs <= study.fold_epochs <= fold_epochs
    assert study.trials[0].fold_epochs == top
    assert sum(trial.fold_epochs == top for trial in study.trials.values()) >= 2


def test_a_larger_budget_extends_a_finished_study(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    first = ToyDriver(path, toy_space(trials=6)).start().finish()
    larger = ToyDriver(path, toy_space(trials=18)).start().finish()
    assert len(first.run.state.trials) == 6
    assert len(larger.run.state.trials) == 18
    assert larger.run.state.fold_epochs > first.run.state.fold_epochs


def test_a_lost_process_is_tried_once_more_and_then_fails_its_trial(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space()).start()
    for expected in (None, "lost_process"):
        order = driver.run.next_climb()
        assert order is not None
        assert order.trial == 0
        driver.run.end_climb(order, LOST)
        assert driver.run.state.trials[0].failure == expected
    assert "died twice" in str(driver.run.state.trials[0].reason)


def test_a_stopped_run_hands_out_nothing_and_ends_when_its_climbs_have(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space()).start()
    order = driver.run.next_climb()
    assert order is not None
    driver.run.stop()
    assert driver.run.next_climb() is None
    assert driver.run.finished is None
    driver.run.end_climb(order)
    assert driver.run.next_climb() is None
    assert driver.run.finished == "stopped"


def test_a_result_that_comes_twice_is_recorded_once(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space()).start()
    order = driver.run.next_climb()
    assert order is not None
    result = {"epochs": 1, "fold": 0, "epoch": 0, "score": 0.5, "seconds": 1.0}
    driver.run.take_epoch(order, result)
    driver.run.take_epoch(order, result)
    assert driver.run.state.trials[0].fold_epochs == 1


def test_full_trains_every_trial_on_all_folds(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(scheduler="full", trials=5)).start().finish()
    assert {trial.fold_epochs for trial in driver.run.state.trials.values()} == {27}


def test_the_ladder_spends_a_fraction_and_still_finds_the_best_of_a_clear_order(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=30), slots=2).start().finish()
    state = driver.run.state
    assert state.fold_epochs < 0.35 * 30 * driver.run.strategy.rungs.whole
    best = max(state.trials.values(), key=lambda trial: peak(trial.configuration, 27))
    assert state.trials[best.number].fold_epochs == driver.run.strategy.rungs.whole


def test_the_time_budget_is_kept_and_the_finalists_are_done_by_then(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=500, time_budget=120), slots=2).start().finish()
    assert driver.clock.now <= 121
    assert all(
        trial.fold_epochs == driver.run.strategy.rungs.whole for trial in driver.run.strategy.finals(driver.run.state)
    )
    assert len(driver.run.state.trials) > 20


@quick
@given(trials=st.integers(1, 40), places=st.integers(1, 3))
def test_the_forecast_is_what_a_serial_search_spends(
    tmp_path_factory: pytest.TempPathFactory, trials: int, places: int
) -> None:
    space = toy_space(trials=trials, finalists=min(places, trials))
    driver = ToyDriver(tmp_path_factory.mktemp("s") / "record.jsonl", space).start().finish()
    forecast = expected_fold_epochs(driver.run.strategy, Budget(trials))
    assert abs(forecast - driver.run.state.fold_epochs) <= 0.35 * driver.run.state.fold_epochs


def test_nothing_looks_deeper_than_it_has_earned() -> None:
    scores = {0: [0.1] * 45, 1: [0.9] * 3, 2: [0.8], 3: [0.7], 4: [0.6], 5: [0.5]}
    earned = earned_rungs(study_of(scores, {0: "recipe"}), LADDER)
    assert earned[0] == Rung(1, 1), "the recipe trained all folds, but its score is the worst at the first rung"
    assert earned[1] == Rung(1, 3)
    assert {earned[number] for number in (3, 4, 5)} == {Rung(1, 1)}


def test_failed_trials_are_not_ranked() -> None:
    study = study_of({1: [0.9], 2: [0.5]})
    study.apply(TrialFailed(time=0, trial=1, failure="error", reason=""))
    assert [trial.number for trial in ranked_at(study.trials.values(), Rung(1, 1))] == [2]


def test_a_slow_backbone_makes_the_finals_due_earlier_and_the_forecast_longer() -> None:
    def study(slow: float) -> StudyState:
        events: list[Event] = [Launched(time=0, settings={})]
        for trial, seconds in ((0, 1.0), (1, slow), (2, 1.0), (3, 1.0)):
            events.append(TrialAdded(time=0, trial=trial, configuration={}, origin="recipe" if trial == 0 else "tpe"))
            for epoch in range(3):
                score, moment = 0.9 - trial / 10, {"time": 30.0, "elapsed": 30.0, "trial": trial}
                events.append(EpochScored(fold=0, epoch=epoch, score=score, seconds=seconds, **moment))
                events.append(RungReached(folds=1, epoch=epoch + 1, score=score, **moment))
        return StudyState(events)

    assert study(9.0).relative_cost(study(9.0).trials[1]) == pytest.approx(3.0)
    ladder, budget = FoldLadder(epochs=9, folds=2, finalists=1), Budget(4, seconds=240.0)
    left = {slow: seconds_left(study(slow), ladder, Budget(4), 1, 30.0) or 0.0 for slow in (1.0, 9.0)}
    plain_mean = 1.0 * 15 + 1.0 * 15  # what recipe and finalist lack, at a second each
    assert left[1.0] == pytest.approx(plain_mean, rel=0.3)
    assert left[9.0] > 4 * left[1.0], "the finalist's own nine seconds count, not the mean of three"
    assert not look_ahead(study(1.0), ladder, budget, 1, 125.0).finals_due
    assert look_ahead(study(9.0), ladder, budget, 1, 125.0).finals_due


def test_finals_may_begin_after_two_fifths_of_a_time_budget_and_not_before() -> None:
    events: list[Event] = [Launched(time=0, settings={})]
    for trial, origin in enumerate(("recipe", "tpe", "tpe")):
        events.append(TrialAdded(time=0, trial=trial, configuration={}, origin=origin))
        for epoch in range(3):
            moment = {"time": 30.0, "elapsed": 30.0, "trial": trial}
            events.append(EpochScored(fold=0, epoch=epoch, score=0.9, seconds=9.0, **moment))
            events.append(RungReached(folds=1, epoch=epoch + 1, score=0.9, **moment))
    ladder, study = FoldLadder(epochs=9, folds=2, finalists=1), StudyState(events)
    due = [look_ahead(study, ladder, Budget(4, seconds=100.0), 1, now).finals_due for now in (39.0, 41.0)]
    assert due == [False, True], "all that is left would be needed since long"


def test_a_budget_too_small_for_a_finalist_gives_half_of_it_to_first_looks() -> None:
    ladder = FoldLadder(epochs=9, folds=2, finalists=1)
    study = study_of({0: [0.5] * ladder.rungs.whole}, {0: "recipe"})
    assert look_ahead(study, ladder, Budget(30, fold_epochs=ladder.rungs.whole + 10), 1, 0.0).contenders == 5
