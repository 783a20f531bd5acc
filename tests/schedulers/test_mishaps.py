"""Failures that are a process's or the machine's: who goes on, what ends, and what the next launch takes back."""

from pathlib import Path

import pytest

from schedulers.shared_slots import SharedSlots
from schedulers.slot_ledger import SlotLedger
from schedulers.study_run import StudyRun
from studies.record.events import Launched
from studies.state.mishaps import TRIALS
from studies.trials.climb_order import ClimbOrder
from studies.trials.failures import Failure
from tests.toys.search import ToyDriver, toy_space

STICKY = Failure("lost_process", "AcceleratorError: CUDA error: an illegal memory access was encountered")


def next_of(run: StudyRun, process: int) -> ClimbOrder:
    """Return the next climb, taken by a process."""
    order = run.next_climb()
    assert order is not None
    run.take_place(order, "10.0.0.1", process)
    return order


def test_a_climb_that_a_device_error_ended_is_tried_again_in_another_process(tmp_path: Path) -> None:
    run = ToyDriver(tmp_path / "record", toy_space()).start().run
    order = next_of(run, 11)
    run.end_climb(order, STICKY)
    assert run.process_must_end(order)
    again = next_of(run, 12)
    assert (again.trial, again.fold) == (order.trial, order.fold)
    assert run.state.trials[order.trial].failure is None


@pytest.mark.parametrize(
    ("kinds", "ends"), [(["error"], False), (["error", "error"], True), (["error", "bad_image"], False)]
)
def test_a_process_in_which_climbs_fail_alike_ends(kinds: list[str], ends: bool, tmp_path: Path) -> None:
    run = ToyDriver(tmp_path / "record", toy_space()).start().run
    order = next_of(run, 11)
    for kind in kinds:
        run.end_climb(order, Failure(kind, "broken"))
        last, order = order, next_of(run, 11)
    assert run.process_must_end(last) == ends


def test_a_configuration_that_diverges_ends_no_process(tmp_path: Path) -> None:
    run = ToyDriver(tmp_path / "record", toy_space()).start().run
    for _ in range(4):
        order = next_of(run, 11)
        run.end_climb(order, Failure("not_finite", "the loss is nan"))
        assert not run.process_must_end(order)


def test_an_epoch_in_between_makes_a_process_good_again(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space()).start()
    order = next_of(driver.run, 11)
    driver.run.end_climb(order, Failure("error", "broken"))
    order = next_of(driver.run, 11)
    driver.step(order)
    driver.run.end_climb(order, Failure("error", "broken"))
    assert not driver.run.process_must_end(order)


def test_a_machine_that_loses_every_process_stops_the_search_and_the_next_launch_takes_its_trials_back(
    tmp_path: Path,
) -> None:
    driver = ToyDriver(tmp_path / "record", toy_space(trials=20)).start()
    for _ in range(12):
        driver.tick()  # a good while
    while driver.slots[0] is not None:
        order = driver.slots[0]
        driver.step(order)
        if driver.run.state.trials[order.trial].epochs_of(order.fold) >= order.epoch:
            driver.run.end_climb(order)
            driver.slots[0] = None
    failed: set[int] = set()
    while (order := driver.run.next_climb()) is not None:
        driver.run.take_place(order, "10.0.0.1", 20 + len(failed))
        driver.run.end_climb(order, STICKY)
        failed.add(order.trial)
    assert len(failed) == TRIALS
    assert driver.run.finished is not None
    assert "climbs lost their processes, of the trials" in driver.run.finished
    assert "illegal memory access" in driver.run.finished
    assert len(driver.run.state.trials) < 20, "the others are spared"
    driver.run.close()
    driver.record.close()
    mended = ToyDriver(tmp_path / "record", toy_space(trials=20)).start().finish()
    trials = mended.run.state.trials
    assert len(trials) == 20
    assert not any(trial.failure for trial in trials.values())
    assert trials[0].taken_back
    assert trials[1].taken_back


def test_a_launch_begins_without_the_failures_of_the_last(tmp_path: Path) -> None:
    run = ToyDriver(tmp_path / "record", toy_space()).start().run
    order = next_of(run, 11)
    run.end_climb(order, STICKY)
    run.state.apply(Launched(time=0, elapsed=0, settings={}))
    assert not run.process_must_end(order)
    assert not run.state.mishaps.row


def test_a_trial_that_runs_out_of_memory_goes_on_with_its_batches_in_parts_on_all_its_folds(tmp_path: Path) -> None:
    space = toy_space()
    space = space.model_copy(update={"constants": {**space.constants, "batch_size": 16}})
    run = ToyDriver(tmp_path / "record", space, slots=3).start().run
    short = Failure("out_of_memory", "CUDA out of memory")
    order, beside = next_of(run, 11), next_of(run, 12)
    assert order.micro_batches == 1
    for parts in (2, 4, 8):
        run.end_climb(order, short)
        order = next_of(run, 11)
        assert (order.trial, order.micro_batches) == (0, parts)
    run.end_climb(beside)
    assert next_of(run, 12).micro_batches == 8, "another fold of the trial"
    run.end_climb(order, short)
    assert run.state.trials[0].failure == "out_of_memory", "eight parts of 16 images are of two images"
    assert next_of(run, 11).micro_batches == 1, "another trial"


def test_folds_side_by_side_that_run_out_of_memory_halve_their_batches_once(tmp_path: Path) -> None:
    space = toy_space()
    space = space.model_copy(update={"constants": {**space.constants, "batch_size": 16}})
    run = ToyDriver(tmp_path / "record", space, slots=2).start().run
    short = Failure("out_of_memory", "CUDA out of memory")
    for order in (next_of(run, 11), next_of(run, 12)):
        run.end_climb(order, short)
    assert [next_of(run, process).micro_batches for process in (11, 12)] == [2, 2]


def test_a_broken_gpu_beside_a_good_one_costs_a_slot_and_no_trial(tmp_path: Path) -> None:
    """A good GPU's epochs say nothing of the other: twenty of twenty trials were lost on that, faster than an epoch."""
    toy = ToyDriver(tmp_path / "record", toy_space(trials=20), slots=2).start()
    shared, process, good = SharedSlots([toy.run], SlotLedger(2)), 100, None
    while not toy.run.finished:
        if good is None and (found := shared.next_climb()):
            good = found[1]
            toy.run.take_place(good, "10.0.0.1", 7)
        if found := shared.next_climb():  # on the broken one: a new process each time
            process += 1
            toy.run.take_place(found[1], "10.0.0.1", process)
            toy.run.end_climb(found[1], STICKY)
        if good is not None:
            ends = toy.step(good)
            if ends or toy.run.state.trials[good.trial].epochs_of(good.fold) >= good.epoch:
                toy.run.end_climb(good)
                good = None
    trials = toy.run.state.trials.values()
    assert len(trials) == 20
    assert not [trial.failure for trial in trials if trial.failure]
    assert process <= 105, "no more than it takes to see it"
    assert toy.run.state.mishaps.left_out == 1


def test_a_trial_that_kills_its_processes_fails_and_leaves_no_slot_out(tmp_path: Path) -> None:
    run = ToyDriver(tmp_path / "record", toy_space(), slots=2).start().run
    next_of(run, 7)
    killing = run.next_climb()
    assert killing is not None
    for process in (11, 12):
        run.take_place(killing, "10.0.0.1", process)
        run.end_climb(killing, STICKY)
    assert run.state.trials[killing.trial].failure == "lost_process"
    assert run.state.mishaps.left_out == 0


def test_taking_a_trial_back_in_a_search_leaves_its_other_folds_climbing(tmp_path: Path) -> None:
    """Their slots would be handed out a second time, and each climb would supersede the other for ever."""
    toy = ToyDriver(tmp_path / "record", toy_space(), slots=4).start()
    broken, *good = (next_of(toy.run, 10 + number) for number in range(3))
    assert {order.trial for order in (broken, *good)} == {0}, "the recipe's folds side by side"
    for order in good:
        toy.run.take_place(order, "10.0.0.1", 30 + order.fold)
    for process in (21, 22):
        toy.run.take_place(broken, "10.0.0.1", process)
        toy.run.end_climb(broken, STICKY)
        if process == 21:
            broken = next_of(toy.run, 22)
    assert toy.run.state.trials[0].failure == "lost_process"
    toy.run.end_climb(next_of(toy.run, 23), STICKY)
    assert toy.run.state.mishaps.left_out == 1
    recipe = toy.run.state.trials[0]
    assert recipe.failure is None
    assert not recipe.taken_back, "the next launch may still do so"
    assert {number for number, _ in recipe.climbs} == {order.fold for order in good}


def test_a_study_that_broke_holds_no_slot_of_the_others(tmp_path: Path) -> None:
    runs = [ToyDriver(tmp_path / name, toy_space(), slots=2).start().run for name in ("one", "two")]
    shared = SharedSlots(runs, SlotLedger(2))
    assert shared.next_climb() is not None
    with shared.guarded(0):
        raise ZeroDivisionError
    runs[1].state.mishaps.left_out = 1
    assert shared.next_climb() is not None, "of the other study"
    assert shared.next_climb() is None, "the slot that is left out"
