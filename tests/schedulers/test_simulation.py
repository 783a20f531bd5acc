"""Decisions hold whatever goes wrong: a hundred simulated studies, each with faults of its own, checked after every step."""

import json
from pathlib import Path

import pytest

from benchmarks.simulator.decisions import decisions_of
from benchmarks.simulator.faults import Faults
from benchmarks.simulator.invariants import Broken
from benchmarks.simulator.simulation import Simulation
from schedulers import study_run, taking_over
from tests.toys import ROOT

SEEDS = range(100)
LEFT_OVER = (
    169,
    171,
    188,
    2345,
    5154,
)  # studies in which a process that was cut off writes on; three of them were never over


@pytest.mark.parametrize("seed", [*SEEDS, *LEFT_OVER])
def test_nothing_is_lost_or_trained_twice_and_every_budget_ends_with_something_to_export(
    seed: int, tmp_path: Path
) -> None:
    """Replay one: python -m benchmarks.simulator --seed SEED."""
    Simulation(seed, tmp_path).run()


def test_studies_decide_what_they_decided_before() -> None:
    """Whoever means to change decisions: python -m benchmarks.simulator --studies 80 --decisions tests/golden/decisions.json."""
    before = json.loads((ROOT / "tests/golden/decisions.json").read_text())
    assert decisions_of(map(int, before)) == before


def test_the_same_seed_gives_the_same_study(tmp_path: Path) -> None:
    lines = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        Simulation(7, tmp_path / name).run()
        lines.append(
            [line.partition('"elapsed"')[2] for line in (tmp_path / name / "record.jsonl").read_text().splitlines()]
        )
    assert lines[0] == lines[1]


@pytest.mark.parametrize("what", ["epochs that only folders know", "what is under way"])
def test_it_finds_what_is_broken_on_purpose(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if what == "epochs that only folders know":
        monkeypatch.setattr(taking_over, "unrecorded", lambda trial, folders: [])
    else:
        monkeypatch.setattr(study_run, "under_way", lambda state, strategy, trial: 0)
    with pytest.raises(Broken):
        simulate_all(tmp_path)


def simulate_all(place: Path) -> None:
    for seed in SEEDS:
        (place / str(seed)).mkdir()
        Simulation(seed, place / str(seed)).run()


def test_faults_come_from_the_seed_and_end() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(seed, 3)
        return [faults.strike("something", 0.2) for _ in range(200)]

    assert struck(1) == struck(1) != struck(2)
    assert sum(struck(1)) == 3
