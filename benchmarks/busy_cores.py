"""How much of a search's time, from the command to its end, its cores train or judge, and what a launch cannot do without.

    python -m benchmarks.busy_cores --space age.yaml
    python -m benchmarks.busy_cores --space mask.yaml --trials 8 --set data.people=40

The floor is a process that imports torch, then starts Ray and ends it: a search that waited for nothing else would have its cores
busy for all but that. Options go on to launch_search.py. Run it on an idle machine.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.trial_overhead import first_batch
from studies.record.events import EpochScored
from studies.record.record import read_record
from studies.study_folder import StudyFolder

ROOT = Path(__file__).resolve().parent.parent
_BUSY = ("train", "judge")
_FLOOR = (
    "import torch, ray;"
    "ray.init(include_dashboard=True, dashboard_host='127.0.0.1', object_store_memory=2**27, log_to_driver=False);"
    "ray.shutdown()"
)


def floor() -> float:
    """Return the seconds of importing torch, starting Ray and ending it."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", _FLOOR], check=True, capture_output=True)
    return time.perf_counter() - began


def searched(results: Path, name: str, options: Sequence[str]) -> tuple[float, float, float, list[EpochScored]]:
    """Launch a new search; return when it began, its seconds, those until the first epoch began, and its epochs."""
    command = [sys.executable, str(ROOT / "launch_search.py"), "--results", str(results), "--study", name, *options]
    began = time.time()
    subprocess.run(command, check=True)
    took = time.time() - began
    events = list(read_record(StudyFolder(results / name).record))
    epochs = [event for event in events if isinstance(event, EpochScored) and event.time > began]
    first = min(first_batch(epoch) for epoch in epochs)
    return began, took, first - began, epochs


def main() -> None:
    """Search, and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--results", type=Path, default=Path("results"), help="folder of all studies (default: results)"
    )
    parser.add_argument("--study", default="busy", help="name of the new study (default: busy)")
    parser.add_argument("--space", required=True, help="as launch_search.py takes it, and whatever else that takes")
    arguments, others = parser.parse_known_args()
    options = ["--space", arguments.space, *others]
    if StudyFolder(arguments.results / arguments.study).exists():
        parser.error(f"{arguments.results / arguments.study}: is a study already; name a new one with --study")
    began, took, first, epochs = searched(arguments.results.absolute(), arguments.study, options)
    cores, least = os.cpu_count() or 1, floor()
    whole = cores * took
    table = Table(
        "phase", "core-seconds", "share", title=f"{took:.0f} s on {cores} cores; first batch after {first:.1f} s"
    )
    for phase in dict.fromkeys(phase for epoch in epochs for phase in epoch.phases):
        spent = sum(epoch.phases.get(phase, 0.0) for epoch in epochs)
        table.add_row(phase, f"{spent:.0f}", f"{spent / whole:.1%}")
    busy = sum(epoch.phases.get(phase, 0.0) for epoch in epochs for phase in _BUSY)
    last = max(epoch.time for epoch in epochs)
    table.add_row("train or judge", f"{busy:.0f}", f"{busy / whole:.1%}")
    table.add_row("after the last epoch", f"{cores * (began + took - last):.0f}", f"{(began + took - last) / took:.1%}")
    table.add_row("floor of a launch", f"{cores * least:.0f}", f"{least / took:.1%}")
    Console().print(table)


if __name__ == "__main__":
    main()
