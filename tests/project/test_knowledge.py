"""The rules by which the recorded sets judge a search."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from benchmarks.curves import CurveTable, Replayed
from benchmarks.knowledge.left_out import Watch, cost, portfolio_without
from benchmarks.knowledge.promotion import beaten
from benchmarks.knowledge.recorded_set import recorded_sets
from benchmarks.knowledge.shipped import relatives
from schedulers.spending.budget import Budget
from schedulers.spending.simulation import Simulation
from schedulers.strategies.fold_ladder import FoldLadder


def test_what_a_failed_search_spent_counts_for_the_next_that_finds_it() -> None:
    def rows(*knows: int | None) -> list[Mapping[str, Any]]:
        return [{"spent": 100, "knows": one} for one in knows]

    assert cost(rows(40, 60)) == 50
    assert cost(rows(40, None)) == 140
    assert cost(rows(None, None)) == float("inf")


def test_the_same_persons_and_the_same_kind_of_pictures_are_left_out_together() -> None:
    assert relatives("age") == {"age", "gender", "mask"}
    assert relatives("orl_identity") == {"orl_identity"}
    for name in ("age", "mnist", "orl_identity"):
        assert not relatives(name) & set(portfolio_without(name).sets)


def test_a_search_knows_the_score_when_its_choice_has_trained_all_folds() -> None:
    (recorded,) = (one for one in recorded_sets() if one.name == "animals")
    best = int(recorded.random[np.argmax(recorded.final[recorded.random])])
    worst = int(recorded.random[np.argmin(recorded.final[recorded.random])])
    ladder = FoldLadder(recorded.table.epochs, recorded.table.folds, finalists=1)

    def known(order: Sequence[int]) -> int | None:
        watch = Watch(recorded, ladder)
        study = Simulation(ladder, Budget(len(order)), 1, Replayed(recorded.table, order), watch=watch).run()
        watch(study, 0.0)
        return watch.knows

    assert known([best]) == ladder.rungs.whole, "one trial, all folds"
    assert known([worst]) is None


@pytest.mark.parametrize(("cheaper", "better", "expected"), [(0.1, 0.3, 1), (-0.1, 0.3, 0), (0.1, -0.3, 0)])
def test_a_rule_is_beaten_where_a_simpler_one_costs_less_and_misses_less(
    cheaper: float, better: float, expected: int
) -> None:
    cell = {"name": "toy", "contenders": 8, "finalists": 1}
    ours = {"rule": "fold_ladder", **cell, "costs": [0.5, 0.5], "regrets": [0.5, 0.4]}
    other = {"rule": "survey", **cell, "costs": [0.5 - cheaper] * 2, "regrets": [0.5 - better, 0.39 - better]}
    assert len(beaten([ours, other], "fold_ladder")) == expected
    assert beaten([ours, {**other, "rule": "2 looks, half"}], "fold_ladder") == [], "one of our own is no simpler rule"


def test_a_table_of_a_set_scores_the_mean_of_its_folds() -> None:
    scores = np.array([[[0.1, 0.5], [0.2, 0.7]]])
    assert CurveTable("toy", ({},), scores, np.ones(1)).final.tolist() == [pytest.approx(0.6)]
