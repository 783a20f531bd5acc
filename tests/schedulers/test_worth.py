"""Knowing when to stop: what a further configuration is expected to gain, against what it costs."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schedulers.spending.worth import ENOUGH, improvement, next_offer
from search_spaces.rates import parse_rate
from studies.record.record import read_record
from studies.state.study_state import StudyState
from tests.toys.search import ToyDriver, toy_space


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
