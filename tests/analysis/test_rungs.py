"""The rung table: what it counts, and when a comparison came too early: said at the end, acted upon before."""

from dataclasses import replace

import pytest

from analysis.reading.rungs import advice, rung_table
from schedulers.agreement import rank_agreement
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategy import Climb, Outlook
from studies.record.events import StrategyFacts
from studies.state.rungs import Rung
from studies.state.search_facts import SearchFacts
from studies.state.study_state import StudyState
from tests.toys.search import study_of

LADDER = FoldLadder(epochs=9, folds=5)
CURVES = {
    0: [0.99] * 45,
    1: [0.5, 0.6, 0.6],
    2: [0.4, 0.7, 0.7],
    3: [0.3, 0.8, 0.8],
    4: [0.2, 0.9, 0.9],
    5: [0.1, 1.0, 1.0],
}


def facts_of(ladder: FoldLadder) -> SearchFacts:
    settings = StrategyFacts(name="fold_ladder", settings=ladder.settings(), finalists=ladder.finalists)
    return SearchFacts(ladder.rungs, settings, 1)


def study() -> StudyState:
    """Five trials whose order turns over after the first epoch and then stays; the recipe is left out."""
    return study_of({**CURVES, 6: [0.05]}, {0: "recipe"})


def test_it_counts_who_came_who_went_on_and_what_was_spent_without_the_recipe() -> None:
    first, second, third, *others = rung_table(study(), LADDER.rungs)
    assert (first.rung, first.reached, first.went_on, first.fold_epochs) == ((1, 1), 6, 5, 6)
    assert (second.rung, second.reached, second.went_on, second.fold_epochs) == ((1, 2), 5, 5, 5)
    assert (third.rung, third.reached, third.went_on, third.fold_epochs) == ((1, 3), 5, 0, 5)
    assert all((row.reached, row.fold_epochs) == (0, 0) for row in others)
    assert sum(row.fold_epochs for row in rung_table(study(), LADDER.rungs)) == 16


def test_agreement_is_kendalls_tau_among_those_that_reached_both() -> None:
    first, second, *_ = rung_table(study(), LADDER.rungs)
    assert first.agrees_with_next == pytest.approx(-1)
    assert second.agrees_with_next == pytest.approx(1)
    assert first.agrees_with_top is None, "nobody reached the top but the recipe"
    ties = {trial: [0.5, 0.5] for trial in (1, 2, 3)}
    assert rank_agreement(study_of(ties).trials.values(), Rung(1, 1), Rung(1, 2))[1] is None, "ties have no ranking"
    assert rank_agreement(study_of({1: [0.5, 0.5], 2: [0.6, 0.4]}).trials.values(), Rung(1, 1), Rung(1, 2)) == (
        2,
        None,
    ), "two say nothing"


def test_a_first_look_that_came_too_early_is_told_with_the_grace_period_that_would_have_been_right() -> None:
    told = advice(study(), facts_of(LADDER))
    assert told is not None
    assert "--set search.grace_period=2 would have been right" in told
    assert "tau -1.00" in told


def test_no_advice_where_the_first_look_agrees_or_too_few_went_on() -> None:
    agreeing = {trial: [1 - score for score in curve[:1]] + curve[1:] for trial, curve in CURVES.items() if trial}
    assert advice(study_of(agreeing), facts_of(LADDER)) is None
    assert advice(study_of({trial: CURVES[trial] for trial in (1, 2, 3)}), facts_of(LADDER)) is None
    assert advice(StudyState(), facts_of(LADDER)) is None


def test_the_grace_period_advised_is_in_epochs_of_the_strategy() -> None:
    ladder = FoldLadder(epochs=9, folds=5, grace_period=2)
    told = advice(
        study_of({trial: [0.1 * trial] * 2 + [1 - 0.1 * trial] * 2 for trial in range(1, 7)}), facts_of(ladder)
    )
    assert told is not None
    assert "search.grace_period=4 is worth a try" in told


def test_a_look_that_the_next_one_turns_round_is_skipped_and_a_good_one_is_not() -> None:
    ladder, field = FoldLadder(epochs=9, folds=3), Outlook(contenders=16)
    good = {number: [number / 20, number / 20] for number in range(8)} | {number: [0.0] for number in range(8, 16)}
    turned = {number: [number / 20, 1 - number / 20] for number in range(8)} | {
        number: [0.0] for number in range(8, 16)
    }
    assert list(ladder.blind_looks(list(study_of(good).trials.values()))) == []
    blind = study_of(turned)
    assert list(ladder.blind_looks(list(blind.trials.values()))) == [0]
    assert not ladder.compares(list(blind.trials.values()), Rung(1, 1))
    climb = ladder.choose(blind, replace(field, open=False))
    assert isinstance(climb, Climb)
    assert (climb.trial >= 8, climb.epoch) == (True, 2), "all go on that it would have held back"
    unskipped = replace(ladder, blind_below=-2.0).choose(blind, replace(field, open=False))
    assert isinstance(unskipped, Climb)
    assert unskipped.epoch == 3
