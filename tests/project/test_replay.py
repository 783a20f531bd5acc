"""The replay measures what it says: tables are read whole, rows have their keys, and the surrogate knows its table."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.curves import read_table
from benchmarks.race import race
from benchmarks.replay import half_way_error, random_orders
from benchmarks.sampler_replay import Surrogate, found, space_of
from schedulers.strategies.fold_ladder import FoldLadder
from search_spaces import Choice, Range
from tests.toys import ROOT

TABLES = ROOT / "benchmarks/tables"


@pytest.mark.slow
def test_every_strategy_gets_a_row_with_the_promised_keys(tmp_path: Path) -> None:
    out = tmp_path / "rows.json"
    command = [sys.executable, "-m", "benchmarks.replay", "--table", str(TABLES / "digits.jsonl"), "--orders", "2"]
    subprocess.run([*command, "--finalists", "1", "--json", str(out)], cwd=ROOT, check=True, capture_output=True)
    rows = json.loads(out.read_text())
    keys = {"strategy", "finalists", "cost_median", "cost_share", "regret_median", "regret_p90"}
    assert all(keys <= row.keys() and row["finalists"] == 1 for row in rows)
    assert {"fold_ladder", "survey", "full", "stopping_asha"} <= {row["strategy"] for row in rows}
    full = next(row for row in rows if row["strategy"] == "full")
    assert (full["cost_share"], full["regret_p90"]) == (1, 0)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ('{"config": 0, "fold": 0, "curve": [0.1]}\nno row', "line 2 is no row"),
        ('{"config": 0, "fold": 0, "curve": [0.1]}\n{"config": 1, "fold": 1, "curve": [0.1]}', "the same folds"),
        ("", "the same folds"),
    ],
)
def test_a_damaged_table_is_named(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "table.jsonl").write_text(content)
    with pytest.raises(ValueError, match=rf"table\.jsonl: .*{complaint}"):
        read_table(tmp_path / "table.jsonl")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in TABLES.glob("*.jsonl")))
def test_the_surrogate_knows_the_recorded_curves_and_sees_every_parameter(name: str) -> None:
    table = read_table(TABLES / f"{name}.jsonl")
    surrogate = Surrogate(table)
    for configuration, curves in zip(table.configurations, table.scores, strict=True):
        assert surrogate.curves(configuration) == pytest.approx(curves, abs=1e-6)
    rates = [dict(table.configurations[0], learning_rate=rate) for rate in (1e-5, 1e-3, 1e-2)]
    finals = {round(float(surrogate.curves(one)[:, -1].mean()), 3) for one in rates}
    assert len(finals) > 1, "a learning rate of no consequence"


def test_a_tables_space_has_its_conditions_and_scales() -> None:
    space = space_of(read_table(TABLES / "digits.jsonl"), "tpe", 0)
    rate, gamma = space.parameters["learning_rate"], space.parameters["focal_gamma"]
    assert isinstance(rate, Range)
    assert rate.log
    assert gamma.when == {"loss": "focal"}
    assert isinstance(space.parameters["batch_size"], Choice)


@pytest.mark.slow
def test_a_sampled_search_finds_more_than_a_first_guess() -> None:
    surrogate = Surrogate(read_table(TABLES / "digits.jsonl"))
    best = max(float(surrogate.curves(one)[:, -1].mean()) for one in surrogate.table.configurations)
    assert 0.5 * best < found(surrogate, "random", "fold_ladder", 100, seed=0) <= best + 1e-9


def test_a_race_without_a_rule_saves_nothing_and_errs_never() -> None:
    table = read_table(TABLES / "digits.jsonl")
    ladder = FoldLadder(table.epochs, table.folds, race="none")
    for order in random_orders(table, 5, seed=0):
        assert race(table, ladder, order, 2) == (0.0, 0.0, 0.0)


def test_half_way_error_is_of_what_was_left() -> None:
    assert half_way_error([(0.0, 9.0), (5.0, 6.0), (10.0, 1.0)]) == pytest.approx(0.2)
    assert np.isnan(half_way_error([]))
    assert np.isnan(half_way_error([(3.0, 1.0)]))
