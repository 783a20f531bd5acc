"""A range: which values it has, where each lies, and that chance draws them evenly."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from search_spaces.parameters import Choice, Range

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def test_a_value_lies_where_it_is_on_the_ranges_own_scale() -> None:
    plain, log = Range(low=2.0, high=6.0), Range(low=1e-4, high=1e-2, log=True)
    assert [plain.position(value) for value in (2.0, 3.0, 6.0, 8.0, 0.0)] == [0.0, 0.25, 1.0, 1.5, -0.5]
    assert [log.position(value) for value in (1e-4, 1e-3, 1e-2)] == pytest.approx([0.0, 0.5, 1.0])
    assert [plain.at(place) for place in (0.0, 0.25, 1.0)] == [2.0, 3.0, 6.0]
    assert [log.at(place) for place in (0.0, 0.5, 1.0)] == pytest.approx([1e-4, 1e-3, 1e-2])


def test_whole_numbers_share_the_scale_evenly_and_lie_in_the_middle_of_their_places() -> None:
    whole = Range(low=1, high=4, integer=True)
    assert [whole.position(value) for value in (1, 2, 3, 4)] == pytest.approx([0.125, 0.375, 0.625, 0.875])
    drawn = [whole.at((place + 0.5) / 400) for place in range(400)]
    assert [drawn.count(value) for value in (1, 2, 3, 4)] == [100, 100, 100, 100]


def test_steps_share_the_scale_evenly_and_the_last_one_may_lie_below_the_end() -> None:
    stepped = Range(low=0.1, high=0.75, step=0.2)
    assert stepped.steps == 3
    drawn = [stepped.at((place + 0.5) / 400) for place in range(400)]
    assert sorted(set(drawn)) == pytest.approx([0.1, 0.3, 0.5, 0.7])
    assert [round(drawn.count(value), -1) for value in sorted(set(drawn))] == [100] * 4
    assert stepped.at(1.0) == pytest.approx(0.7)
    assert Range(low=0.0, high=0.3, step=0.1).steps == 3, "0.3 / 0.1 is a little less than 3 in binary"


def test_the_nearest_value_of_one_outside_is_the_end_and_of_one_between_steps_the_closer() -> None:
    assert [Range(low=2, high=6).nearest(value) for value in (1.0, 3.3, 9.0)] == [2, 3.3, 6]
    assert [Range(low=2, high=6, integer=True).nearest(value) for value in (1.0, 3.3, 3.6, 9.0)] == [2, 3, 4, 6]
    stepped = Range(low=0.1, high=0.75, step=0.2)
    assert [stepped.nearest(value) for value in (0.0, 0.19, 0.21, 0.75)] == pytest.approx([0.1, 0.1, 0.3, 0.7])


def test_a_range_has_its_ends_and_nothing_beyond_or_between() -> None:
    assert [Range(low=2, high=6).contains(value) for value in (1.9, 2, 4.5, 6, 6.1)] == [False, True, True, True, False]
    assert [Range(low=2, high=6, integer=True).contains(value) for value in (3, 3.0, 3.5)] == [True, True, False]
    assert [Range(low=1, high=2, step=0.25).contains(value) for value in (1.25, 1.3, 2.0)] == [True, False, True]
    assert not Range(low=0, high=2).contains(True)
    assert not Range(low=0, high=2).contains("1")


@given(low=NUMBERS, width=st.floats(1e-3, 1e6), place=st.floats(0, 1))
def test_whatever_is_drawn_lies_inside_and_where_it_was_drawn(low: float, width: float, place: float) -> None:
    span = Range(low=low, high=low + width)
    value = span.at(place)
    assert span.low <= value <= span.high
    assert span.position(value) == pytest.approx(place, abs=1e-6)


@given(low=st.integers(-100, 100), width=st.integers(1, 200), place=st.floats(0, 1))
def test_a_whole_number_that_is_drawn_is_one_of_the_range(low: int, width: int, place: float) -> None:
    whole = Range(low=low, high=low + width, integer=True)
    value = whole.at(place)
    assert whole.contains(value)
    assert whole.at(whole.position(value)) == value


@given(low=st.floats(1e-6, 1.0), factor=st.floats(1.5, 1e6), place=st.floats(0, 1))
def test_on_a_logarithmic_scale_equal_distances_are_equal_factors(low: float, factor: float, place: float) -> None:
    span = Range(low=low, high=low * factor, log=True)
    assume(span.high > span.low)
    assert math.log(span.at(place) / low) == pytest.approx(place * math.log(factor), abs=1e-6)


def test_the_usual_value_is_the_default_or_the_middle_of_the_scale() -> None:
    assert Range(low=1e-4, high=1e-2, log=True).usual == pytest.approx(1e-3)
    assert Range(low=0.0, high=4.0, default=1.0).usual == 1.0
    assert Range(low=0.0, high=4.0).extremes == (0.0, 4.0)


def test_a_choice_draws_by_its_weights() -> None:
    choice = Choice.model_validate({"choice": {"a": 3, "b": 1, "c": 0}})
    assert choice.choice == ("a", "b", "c")
    assert choice.weights == (3, 1, 0)


@pytest.mark.parametrize(("low", "high"), [(2.0, 2.0), (3.0, 2.0), (math.nan, 1.0)])
def test_a_range_of_one_value_or_none_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="low must be below high"):
        Range(low=low, high=high)
