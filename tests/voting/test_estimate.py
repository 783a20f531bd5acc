"""The promise's calculation against its own formulas, written out by hand."""

from math import hypot, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voting.test_selection import pool
from voting.out_of_fold.pool import equal_weights
from voting.promise.bootstrap import Resampled
from voting.promise.estimate import Measured, Seen, estimated, interval
from voting.promise.gain import MEASURED, Averaging, expected_gain, pair_gain, share_of_gain
from voting.promise.holdout import Held

GAIN = Measured(0.02, 0.015)
AHEAD, OPTIMISM = 0.01, 0.01 * 0.632  # Efron, 1983: a resample holds so much of the persons
NORMAL_90 = 1.6448536269514722  # of the normal distribution, 5 % beyond
SPREADS = st.floats(0.005, 0.2)


def seen(spread: float = 0.03, ahead: float = AHEAD, persons: int = 100, gain: Measured = GAIN) -> Seen:
    drawn = np.array([0.7 - spread, 0.7 + spread]) if spread else np.array([0.7, 0.7])
    return Seen(0.7, persons, Resampled(drawn, np.full(2, ahead)), gain)


def spread_of(one: Seen) -> float:
    return max(one.resamples.spread, 1 / (one.persons + 2))


def test_without_a_holdout_it_is_what_was_seen_less_optimism_plus_the_gain() -> None:
    one = seen()
    found = estimated(one, None)
    assert found.combined.value == pytest.approx(0.7 - OPTIMISM + 0.02)
    assert found.combined.spread == pytest.approx(hypot(hypot(spread_of(one), 0.5 * OPTIMISM), 0.015))
    assert found.corrected == found.combined
    assert found.interval == pytest.approx(
        (
            found.combined.value - NORMAL_90 * found.combined.spread,
            found.combined.value + NORMAL_90 * found.combined.spread,
        )
    )


def test_half_of_what_choosing_seems_to_gain_is_its_uncertainty() -> None:
    sure, unsure = estimated(seen(ahead=0.0), None), estimated(seen(ahead=0.08), None)
    assert unsure.combined.spread**2 - sure.combined.spread**2 == pytest.approx((0.5 * 0.08 * 0.632) ** 2)


def test_all_right_on_few_persons_is_as_unsure_as_one_person_more() -> None:
    assert estimated(seen(spread=0.0, persons=8), None).naive.spread == pytest.approx(1 / 10)
    assert estimated(seen(spread=0.0, persons=98), None).naive.spread == pytest.approx(1 / 100)


@given(SPREADS, st.floats(0.3, 0.9), SPREADS)
def test_a_holdout_is_weighed_by_its_precision_against_what_was_seen(
    seen_by: float, score: float, spread: float
) -> None:
    """Two independent figures of one score: the weighted mean of them (Aitken, 1935)."""
    one, held = seen(seen_by), Held(Measured(score, spread), 100, None)
    corrected = 0.7 - OPTIMISM + GAIN.value
    of_seen = spread_of(one) ** 2 + (0.5 * OPTIMISM) ** 2 + GAIN.spread**2
    of_held = max(spread, spread_of(one)) ** 2
    weight = (1 / of_held) / (1 / of_held + 1 / of_seen)
    found = estimated(one, held)
    assert found.combined.value == pytest.approx(weight * score + (1 - weight) * corrected)
    assert found.combined.spread == pytest.approx(sqrt(1 / (1 / of_held + 1 / of_seen)))


def test_few_persons_of_a_holdout_are_never_surer_than_as_many_that_were_seen() -> None:
    found = estimated(seen(spread=0.03, persons=100), Held(Measured(0.7, 0.001), 25, None))
    assert found.holdout is not None
    assert found.holdout.spread == pytest.approx(spread_of(seen()) * sqrt(100 / 25))


def test_what_a_holdout_says_of_the_gain_counts_less_where_it_is_of_the_same_luck() -> None:
    def gain(correlation: float) -> float:
        held = Held(Measured(0.9, 0.03), 100, Measured(0.06, 0.015), correlation)
        return estimated(seen(), held).gain.value

    alone = estimated(seen(), Held(Measured(0.9, 0.03), 100, None)).gain.value
    assert gain(0.0) > alone, "it says that more is gained"
    assert gain(0.9) != pytest.approx(gain(0.0), abs=1e-4)


def test_of_two_figures_of_the_gain_and_no_other_word_the_mean_is_taken() -> None:
    wide = seen(spread=50.0, gain=Measured(0.02, 0.01))
    found = estimated(wide, Held(Measured(0.7, 0.001), 10**9, Measured(0.06, 0.01)))
    assert found.gain.value == pytest.approx(0.04, abs=1e-4)
    assert found.gain.spread == pytest.approx(0.01 / sqrt(2), rel=1e-3)


@pytest.mark.parametrize(("level", "reach"), [(0.9, NORMAL_90), (0.95, 1.959963984540054), (0.5, 0.6744897501960817)])
def test_an_interval_reaches_as_far_as_its_level_says(level: float, reach: float) -> None:
    assert interval(Measured(1.0, 2.0), level) == pytest.approx((1 - 2 * reach, 1 + 2 * reach))


def test_of_n_models_a_share_of_what_all_gain_is_left() -> None:
    assert share_of_gain(5, 5) == 1.0
    assert share_of_gain(1, 5) == 0.0
    assert share_of_gain(2, 5) == pytest.approx(0.5 / 0.8)
    assert share_of_gain(3, 1) == 0.0, "of a single fold there is nothing to average"


def test_the_gain_of_models_is_measured_in_what_pairs_of_finalists_gain_and_shrinks_with_the_voters() -> None:
    four, averaging = pool(0, candidates=4, persons=60, signal=0.5), Averaging(2.0, 0.25)
    pair = pair_gain(four)
    assert pair > 0
    for voters in (1, 2, 4):
        found = expected_gain(four, equal_weights(4, list(range(voters))), averaging)
        assert found.value == pytest.approx(2.0 * pair * (0.25 + 0.75 / voters))
        assert found.spread == pytest.approx(max(0.01, 0.5 * found.value))


def test_a_pair_gains_what_its_vote_is_ahead_of_its_mean() -> None:
    two = pool(0, candidates=2, persons=60, signal=0.5)
    both = two.score(equal_weights(2, [0, 1]))
    assert pair_gain(two) == pytest.approx(both - (two.scores[0] + two.scores[1]) / 2)


def test_the_figures_of_averaging_are_those_that_were_measured() -> None:
    """Whoever measures anew (python -m benchmarks.promise.gains) changes both."""
    assert (MEASURED.alone, MEASURED.shared) == (1.9, 0.45)
    assert expected_gain(pool(0, candidates=1, persons=20), equal_weights(1, [0])) == Measured(0.03, 0.03)


def test_two_finalists_say_something_about_the_gain_and_one_nothing() -> None:
    two = pool(0, candidates=2, persons=60, signal=0.5)
    assert expected_gain(two, equal_weights(2, [0, 1])).value == pytest.approx(1.9 * pair_gain(two) * (0.45 + 0.55 / 2))
    assert expected_gain(two.only([0]), equal_weights(1, [0])) == Measured(0.03, 0.03)
