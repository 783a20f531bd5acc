"""Failures in a row: which process has to end, which slot is left out, and when it is the machine."""

from collections.abc import Iterable

import pytest

from studies.record.events import WITHDRAWN, ClimbEnded, ClimbPlaced, EpochScored, Event, Launched, TrialFailed
from studies.state.mishaps import Mishaps


def launched(slots: int | None = 4) -> Launched:
    return Launched(time=0, settings={}, slots=slots)


def placed(trial: int, process: int, fold: int = 0, node: str = "a") -> ClimbPlaced:
    return ClimbPlaced(time=0, trial=trial, fold=fold, attempt=1, node=node, process=process)


def ended(trial: int, reason: str = "lost", fold: int = 0) -> ClimbEnded:
    return ClimbEnded.model_validate({"time": 0, "trial": trial, "fold": fold, "attempt": 1, "reason": reason})


def failed(trial: int, failure: str = "error", fold: int | None = 0, reason: str = "broken") -> TrialFailed:
    return TrialFailed(time=0, trial=trial, fold=fold, failure=failure, reason=reason)


def scored(trial: int, fold: int = 0) -> EpochScored:
    return EpochScored(time=0, trial=trial, fold=fold, epoch=0, score=0.5, seconds=1)


def of(*events: Event, slots: int | None = 4) -> Mishaps:
    mishaps = Mishaps()
    for event in (launched(slots), *events):
        mishaps.take(event)
    return mishaps


def lost_on(processes: Iterable[tuple[int, int]], node: str = "a") -> list[Event]:
    """Return climbs that lose new processes of a node, by trial and process."""
    return [event for trial, process in processes for event in (placed(trial, process, node=node), ended(trial))]


@pytest.mark.parametrize(
    ("failures", "ends"),
    [
        ([ended(0)], True),
        ([ended(0, "out_of_memory")], False),
        ([ended(0, "out_of_memory"), ended(0, "out_of_memory")], True),
        ([failed(0)], False),
        ([failed(0), failed(0)], True),
        ([failed(0), failed(0, "bad_image")], False),
        ([failed(0, "not_finite"), failed(0, "not_finite")], False),
        ([failed(0, WITHDRAWN), failed(0, WITHDRAWN)], False),
        ([failed(0, fold=None), failed(0, fold=None)], False),
        ([ended(0, "rung"), ended(0, "stopped")], False),
        ([failed(0), failed(0), scored(0)], False),
        ([], False),
    ],
)
def test_a_process_that_is_lost_or_in_which_two_climbs_fail_alike_has_to_end(failures: list[Event], ends: bool) -> None:
    assert of(placed(0, 11), *failures).process_must_end(0, 0) is ends


def test_what_fails_in_one_process_says_nothing_of_another() -> None:
    mishaps = of(placed(0, 11), failed(0), placed(1, 12), failed(1), placed(2, 11))
    assert not mishaps.process_must_end(2, 0)
    assert not mishaps.process_must_end(1, 0)
    mishaps.take(failed(2))
    assert mishaps.process_must_end(2, 0)


@pytest.mark.parametrize(
    ("lost", "fails"),
    [([0, 1, 2], True), ([0, 1, 1], False), ([0, 1], False), ([0, 0, 0], False), ([0, 1, 1, 2], True)],
)
def test_three_trials_one_after_the_other_that_lose_their_processes_are_the_machine(
    lost: list[int], fails: bool
) -> None:
    assert (of(*(ended(trial) for trial in lost)).machine_fails is not None) is fails


def test_an_epoch_or_another_failure_in_between_and_it_is_not_the_machine() -> None:
    assert of(ended(0), ended(1), scored(3), ended(2)).machine_fails is None
    assert of(ended(0), failed(1), ended(2), ended(3)).machine_fails is None


def test_the_machine_is_told_by_the_last_failure_that_has_a_reason() -> None:
    first, second = failed(0, "lost_process", reason="first"), failed(1, "lost_process", reason="second")
    mishap = of(first, second, ended(2)).machine_fails
    assert mishap is not None
    assert (mishap.trial, mishap.reason) == (1, "second")
    silent = of(ended(0), ended(1), ended(2)).machine_fails
    assert silent is not None
    assert silent.trial == 2


def test_a_slot_on_which_three_new_processes_are_lost_is_left_out_whatever_they_train() -> None:
    mishaps = of(*lost_on([(0, 11), (1, 12)]))
    assert mishaps.left_out == 0
    for event in lost_on([(0, 13)]):
        mishaps.take(event)
    assert (mishaps.left_out, [one.trial for one in mishaps.on_left_out]) == (1, [0, 1, 0])


def test_one_trial_alone_leaves_no_slot_out_and_the_last_slot_stays() -> None:
    assert of(*lost_on([(0, 11), (0, 12), (0, 13)])).left_out == 0
    assert of(*lost_on([(0, 11), (1, 12), (2, 13)]), slots=1).left_out == 0
    assert of(*lost_on([(0, 11), (1, 12), (2, 13)]), slots=2).left_out == 1
    twice = [*lost_on([(0, 11), (1, 12), (2, 13)]), *lost_on([(0, 14), (1, 15), (2, 16)])]
    assert of(*twice, slots=2).left_out == 1
    assert of(*twice, slots=3).left_out == 2


def test_a_process_that_has_scored_an_epoch_is_not_new_and_a_good_one_makes_its_node_good() -> None:
    worked = [
        event for process in (11, 12, 13) for event in (placed(process, process), scored(process), ended(process))
    ]
    assert of(*worked).left_out == 0
    between = [*lost_on([(0, 11), (1, 12)]), placed(5, 20), scored(5), *lost_on([(2, 13)])]
    assert of(*between).left_out == 0


def test_a_lack_of_memory_and_a_climb_that_nobody_took_leave_no_slot_out() -> None:
    short = [event for trial in range(4) for event in (placed(trial, 11 + trial), ended(trial, "out_of_memory"))]
    assert of(*short).left_out == 0
    assert of(*(ended(trial) for trial in range(4))).left_out == 0


def test_losses_count_for_each_node_by_itself() -> None:
    apart = [*lost_on([(0, 11), (1, 12)], node="a"), *lost_on([(2, 11)], node="b")]
    assert of(*apart).left_out == 0
    assert of(*apart, *lost_on([(3, 14)], node="a")).left_out == 1


def test_a_launch_begins_anew() -> None:
    mishaps = of(*lost_on([(0, 11), (1, 12), (2, 13)]))
    mishaps.take(launched())
    assert (mishaps.row, mishaps.left_out, mishaps.on_left_out, mishaps.machine_fails) == ([], 0, [], None)
    assert of(slots=None).left_out == 0
