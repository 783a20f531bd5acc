"""Three cases of `benchmarks.crash`: whatever is killed, the study ends as if nobody had."""

import random
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crash import decisions, finished_study, kill_search
from studies.record import read_record

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    study = finished_study(Path(tmp_path_factory.mktemp("reference")))
    return decisions(list(read_record(study / "record.jsonl")))


@pytest.mark.parametrize(
    ("victim", "moment"), [("driver", "state write"), ("trial", "any time"), ("everything", "report")]
)
def test_a_kill_costs_the_running_epoch_alone(victim: str, moment: str, reference: list[Any]) -> None:
    row = kill_search(victim, moment, random.Random(7), reference)
    assert row["exit_code"] == 0
    assert row["hit"]
    assert row["record_kept"]
    assert (row["trained_twice"], row["doubled_epochs"], row["doubled_trials"]) == (0, 0, 0)
    assert row["same_decisions"], "the next decision is the one it would have been"
    assert row["check_passes"]
