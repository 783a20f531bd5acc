"""Knowing when to stop: what a further configuration is expected to gain, against what it costs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from schedulers.spending.worth import ENOUGH, RELIABILITY, improvement, next_offer
from schedulers.strategies import STRATEGIES
from search_spaces.rates import parse_rate
from studies.record.events import EpochScored, Event, Requested, RungReached, TrialAdded, TrialFailed
from studies.record.record import read_record
from studies.record.requests import StopTrial
from studies.state.study_state import StudyState
from tests.toys.search import EPOCHS, ToyDriver, toy_space


def test_a_rate_is_written_as_a_score_for_a_time() -> None:
    assert [parse_rate(text) for text in ("0.002/h", "0.048 / d", 0.5, "1")] == [0.002, 0.002, 0.5, 1.0]
    for wrong in ("0.1/week", "much", "/h"):
        with pytest.raises(ValueError, match=r"write it like 0\.002/h"):
            parse_rate(wrong)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20), st.floats(0, 1), st.floats(0, 1))
def test_the_better_the_best_the_less_is_gained(scores: list[float], best: float, more: float) -> None:
    assert 0 <= improvement(scores, best + more) <= improvement(scores, best) + 1e-9


def test_a_search_closes_its_field_when_the_next_is_not_worth_it_and_finishes_what_has_begun(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=60, worth=1e9)).start()
    driver.finish()
    state = StudyState(read_record(tmp_path / "record.jsonl"))
    assert ENOUGH < len(state.trials) < 12, "nothing can be said of fewer"
    assert "and 1e+09 an hour is asked" in (state.closed or "")
    assert driver.run.finished == state.closed
    assert sum(driver.run.strategy.rungs.top in trial.scores for trial in state.trials.values()) >= 2, (
        "the finals were held"
    )


def test_a_price_that_every_trial_is_worth_changes_nothing(tmp_path: Path) -> None:
    for name, search in (("with", {"worth": 1e-12}), ("without", {})):
        ToyDriver(tmp_path / name, toy_space(trials=20, **search)).start().finish()
    with_price, without = (read_record(tmp_path / name) for name in ("with", "without"))
    left = {"time", "elapsed", "settings"}
    assert [one.model_dump(exclude=left) for one in with_price] == [one.model_dump(exclude=left) for one in without]


def test_another_launch_asks_again(tmp_path: Path) -> None:
    ToyDriver(tmp_path / "record.jsonl", toy_space(trials=30, worth=1e9)).start().finish()
    ToyDriver(tmp_path / "record.jsonl", toy_space(trials=30)).start().finish()
    assert len(StudyState(read_record(tmp_path / "record.jsonl")).trials) == 30


def test_two_slots_pay_half_for_a_trial(tmp_path: Path) -> None:
    driver = ToyDriver(tmp_path / "record.jsonl", toy_space(trials=20)).start()
    driver.finish()
    one, two = (next_offer(driver.run.state, driver.run.strategy, slots) for slots in (1, 2))
    assert one is not None
    assert two is not None
    assert two.rate == pytest.approx(2 * one.rate)


def test_what_a_configuration_brings_is_less_where_some_fail_and_costs_what_one_more_trains() -> None:
    strategy = STRATEGIES["fold_ladder"](epochs=EPOCHS, folds=3)
    rung = strategy.rungs.first
    scores = (0.5, 0.6, 0.55, 0.65, 0.5, 0.6, 0.58, 0.62)

    def of(*more: Event) -> StudyState:
        events: list[Event] = []
        for trial, score in enumerate(scores):
            events.append(TrialAdded(time=0, trial=trial, configuration={}, origin="tpe"))
            events.append(EpochScored(time=0, trial=trial, fold=0, epoch=0, score=score, seconds=2.0))
            events.append(RungReached(time=0, trial=trial, folds=1, epoch=rung.epoch, score=score))
        return StudyState([*events, *more])

    def failed(trial: int, failure: str = "error") -> TrialFailed:
        return TrialFailed(time=0, trial=trial, failure=failure, reason="broken")

    offer = next_offer(of(), strategy, slots=2)
    assert offer is not None
    assert offer.gain == pytest.approx(RELIABILITY * improvement(list(scores), 0.65))
    assert offer.rate == pytest.approx(3600 * offer.gain / offer.seconds)
    more = (strategy.cost(16) - strategy.cost(8)) / 8
    assert offer.seconds == pytest.approx(max(strategy.rungs.cost(rung), more) * 2.0 / 2)
    less = next_offer(of(failed(0), failed(1)), strategy, slots=2)
    assert less is not None
    assert less.gain == pytest.approx(offer.gain * 6 / 8)
    asked = Requested(time=0, name="stop", request=StopTrial(trial=0))
    withdrawn = next_offer(of(asked, failed(0, "withdrawn")), strategy, slots=2)
    assert withdrawn is not None
    assert withdrawn.gain == pytest.approx(offer.gain), "somebody stopped it: its like may do"


def test_the_expected_improvement_is_that_of_the_normal_distribution() -> None:
    scores = [0.4, 0.5, 0.6]
    z = (0.5 - 0.55) / 0.1
    assert improvement(scores, 0.55) == pytest.approx(0.1 * (z * norm.cdf(z) + norm.pdf(z)))
