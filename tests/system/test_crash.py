"""Three kills of `benchmarks.crash` on one study: whatever is killed, the study ends as if nobody had."""

import random
from pathlib import Path

import pytest

from benchmarks.crash import decisions, finished_study, kill_search
from studies.record.record import read_record

pytestmark = pytest.mark.slow
KILLS = [("trial", "any time"), ("driver", "state write"), ("everything", "report")]


def test_kills_cost_the_running_epoch_alone_and_a_serial_search_decides_the_same_again(tmp_path: Path) -> None:
    study = finished_study(tmp_path)
    row = kill_search(KILLS, random.Random(7), decisions(list(read_record(study / "record.jsonl"))))
    assert row["exit_code"] == 0
    assert row["hit"]
    assert row["record_kept"]
    assert (row["trained_twice"], row["doubled_epochs"], row["doubled_trials"]) == (0, 0, 0)
    assert row["same_decisions"], "the next decision is the one it would have been"
    assert row["check_passes"]
