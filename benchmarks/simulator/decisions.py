"""What simulated studies decided, as a digest for each seed: whoever changes a decision without meaning to sees it."""

import hashlib
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.simulator.simulation import Simulation
from studies.record.record import read_record

DIGITS = 6  # of every number: the last ones are the processor's
_OF_TIME = ("time", "launch", "settings")


def decisions_of(seeds: Iterable[int]) -> dict[str, str]:
    """Return for every seed how many events its study had, and a digest of them, times of day left out."""
    return {str(seed): _digest(seed) for seed in seeds}


def _digest(seed: int) -> str:
    with tempfile.TemporaryDirectory() as folder:
        Simulation(seed, Path(folder)).run()
        events = [event.model_dump(mode="json") for event in read_record(Path(folder) / "record.jsonl")]
    kept = [{name: _rounded(value) for name, value in event.items() if name not in _OF_TIME} for event in events]
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
    return f"{len(events)} events, {digest[:16]}"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0  # and no -0.0
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, list) else value
