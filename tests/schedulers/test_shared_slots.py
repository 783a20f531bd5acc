"""Several studies on one set of slots: who gets a free one, what each is charged, and that none decides otherwise for it."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from schedulers.shared_slots import SharedSlots
from schedulers.slot_ledger import SlotLedger
from search_spaces import SearchSpace
from studies.record.events import Event
from studies.record.record import read_record
from studies.record.requests import ChangeBudget, Request
from studies.trials.climb_order import ClimbOrder
from tests.toys.search import Clock, ToyDriver, toy_space


class SharedDriver:
    """Runs studies on shared slots: in every step each climb that holds one does a fold-epoch of a second."""

    def __init__(self, folder: Path, spaces: Sequence[SearchSpace], slots: int) -> None:
        self.now = Clock()
        self.ledger = SlotLedger(slots, self.now)
        self.drivers = [ToyDriver(folder / f"{place}.jsonl", space, slots=slots) for place, space in enumerate(spaces)]
        for place, driver in enumerate(self.drivers):
            driver.run.log._clock = lambda place=place: self.ledger.seconds(place)  # type: ignore[misc]
            driver.run.budget = replace(driver.run.budget, shared_slots=slots if len(spaces) > 1 else 1)
            driver.start()
        self.shared = SharedSlots([driver.run for driver in self.drivers], self.ledger)
        self.in_flight: list[tuple[int, ClimbOrder]] = []
        self.free: list[int] = []  # slots that found no work, by step
        self.spent: list[list[float]] = []  # by study, by step

    def step(self) -> bool:
        """Fill the slots and do a fold-epoch in each; False when all studies are finished."""
        while len(self.in_flight) < self.shared.slots and (found := self.shared.next_climb()) is not None:
            self.in_flight.append(found)
        if not self.in_flight:
            assert self.shared.finished, "nothing runs, nothing is finished: a deadlock"
            return False
        self.free.append(self.shared.slots - len(self.in_flight))
        self.now.now += 1.0
        for place, order in list(self.in_flight):
            driver = self.drivers[place]
            ends = driver.step(order)
            if ends or driver.run.state.trials[order.trial].epochs_of(order.fold) >= order.epoch:
                self.shared.climb_has_ended(place, order)
                driver.run.end_climb(order)
                self.in_flight.remove((place, order))
        self.spent.append([self.ledger.seconds(place) for place in range(len(self.drivers))])
        return True

    def finish(self) -> "SharedDriver":
        while self.step():
            pass
        self.shared.close()
        return self


def decisions(file: Path) -> list[Event]:
    """Return the events of a record without their times."""
    without = {"time": 0.0, "elapsed": 0.0}
    return [event.model_copy(update=without) for event in read_record(file) if event.event != "forecast_made"]


def test_a_free_slot_goes_to_the_study_that_is_furthest_behind(tmp_path: Path) -> None:
    shared = SharedDriver(tmp_path, [toy_space(trials=30, seed=seed) for seed in range(3)], 2).finish()
    while_all_work = shared.spent[: len(shared.spent) // 2]
    longest_climb = 9.0
    assert all(max(spent) - min(spent) <= longest_climb for spent in while_all_work)


@pytest.mark.parametrize("slots", [1, 2, 8])
def test_no_slot_idles_while_a_study_has_work(slots: int, tmp_path: Path) -> None:
    alone = SharedDriver(tmp_path, [toy_space(trials=12)], slots).finish()
    (tmp_path / "three").mkdir()
    three = SharedDriver(tmp_path / "three", [toy_space(trials=12, seed=seed) for seed in range(3)], slots).finish()
    assert sum(three.free) <= 1.5 * sum(alone.free), "three studies leave fewer slots free than three times one"
    assert three.now.now < 3 * alone.now.now or slots == 1


def test_on_one_slot_a_study_is_what_it_would_be_alone(tmp_path: Path) -> None:
    spaces = [toy_space(trials=9, fold_epochs=90, sampler=sampler, seed=7) for sampler in ("random", "tpe", "gp")]
    SharedDriver(tmp_path, spaces, 1).finish()
    for place, space in enumerate(spaces):
        folder = tmp_path / f"alone {place}"
        folder.mkdir()
        SharedDriver(folder, [space], 1).finish()
        assert decisions(tmp_path / f"{place}.jsonl") == decisions(folder / "0.jsonl")


def test_a_time_budget_is_of_the_slots_that_a_study_has_held(tmp_path: Path) -> None:
    spaces = [toy_space(trials=500, time_budget=40), toy_space(trials=500, time_budget=80)]
    shared = SharedDriver(tmp_path, spaces, 2).finish()
    charged = [shared.ledger.seconds(place) for place in range(2)]
    for seconds, space in zip(charged, spaces, strict=True):
        assert space.search.time_budget is not None
        assert space.search.time_budget - 9.0 <= seconds <= space.search.time_budget + 1.0, "and an epoch at the most"
    assert shared.now.now <= 40 + 80 + 9.0, "together as long as one after the other"


def test_time_goes_on_while_a_study_holds_a_slot_and_never_back(tmp_path: Path) -> None:
    clock = Clock()
    ledger = SlotLedger(2, clock)
    seen = [ledger.seconds("age")]
    for take in (True, False) * 4:
        (ledger.take if take else ledger.give_back)("age", 1)
        clock.now += 3.0
        seen.append(ledger.seconds("age"))
    assert seen == [0.0, 1.5, 1.5, 3.0, 3.0, 4.5, 4.5, 6.0, 6.0]
    assert all(later >= earlier for earlier, later in pairwise(seen))
    assert ledger.seconds("mask") == 0.0


def test_a_study_that_is_asked_to_stop_leaves_its_slots_to_the_others(tmp_path: Path) -> None:
    shared = SharedDriver(tmp_path, [toy_space(trials=30), toy_space(trials=30, seed=1)], 2)
    for _ in range(6):
        shared.step()
    shared.drivers[0].run.stop()
    shared.finish()
    first, second = (driver.run for driver in shared.drivers)
    assert first.state.ending is not None
    assert first.state.ending.outcome == "stopped"
    assert len(second.state.trials) == 30


def test_a_study_that_ended_by_itself_stays_ended_when_the_others_are_stopped(tmp_path: Path) -> None:
    shared = SharedDriver(tmp_path, [toy_space(trials=2), toy_space(trials=40, seed=1)], 2)
    while not shared.drivers[0].run.finished:
        shared.step()
    shared.shared.stop()
    shared.finish()
    first, second = (driver.run.state.ending for driver in shared.drivers)
    assert first is not None
    assert (first.outcome, "every trial" in first.reason) == ("finished", True)
    assert second is not None
    assert second.outcome == "stopped"


def test_a_study_that_ended_goes_on_when_somebody_asks_for_more_while_the_others_run(tmp_path: Path) -> None:
    wanted: list[tuple[str, Request]] = []
    shared = SharedDriver(tmp_path, [toy_space(trials=2), toy_space(trials=40, seed=1)], 2)
    shared.drivers[0].run._requests = lambda: wanted
    while not shared.drivers[0].run.finished:
        shared.step()
    wanted.append(("more", ChangeBudget(settings={"trials": 5})))
    shared.finish()
    assert len(shared.drivers[0].run.state.trials) == 5


def test_an_error_of_one_study_leaves_the_others_alone(tmp_path: Path) -> None:
    shared = SharedDriver(tmp_path, [toy_space(trials=20), toy_space(trials=8, seed=1)], 2)
    for _ in range(5):
        shared.step()

    def full(*arguments: object) -> None:
        raise OSError("no room")

    shared.drivers[0].run.next_climb = full  # type: ignore[method-assign, assignment]
    shared.finish()
    assert list(shared.shared.broken) == [0]
    assert len(shared.drivers[1].run.state.trials) == 8
    assert shared.drivers[1].run.state.ending is not None
    assert shared.drivers[0].run.state.ending is None, "its next launch finds out where it stands"


def test_a_time_budget_is_used_up_though_others_have_slots_too(tmp_path: Path) -> None:
    alone = SharedDriver(tmp_path, [toy_space(trials=500, time_budget=40)], 8).finish()
    (tmp_path / "three").mkdir()
    spaces = [toy_space(trials=500, time_budget=40, seed=seed) for seed in range(3)]
    three = SharedDriver(tmp_path / "three", spaces, 8).finish()
    assert all(seconds > 0.85 * alone.ledger.seconds(0) for seconds in three.spent[-1])


def test_a_study_that_had_less_in_earlier_launches_comes_first(tmp_path: Path) -> None:
    SharedDriver(tmp_path, [toy_space(trials=12)], 1).finish()
    shared = SharedDriver(tmp_path, [toy_space(trials=40), toy_space(trials=40, seed=1)], 1)
    assert shared.drivers[0].run.elapsed() > 9
    places = []
    for _ in range(9):
        shared.step()
        places += [place for place, _ in shared.in_flight]
    assert set(places) == {1}
