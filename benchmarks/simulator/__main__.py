"""Search studies that are not trained, each of a seed with faults of its own, and check every step.

    python -m benchmarks.simulator --studies 10000
    python -m benchmarks.simulator --seed 4711              # one of them again
    python -m benchmarks.simulator --studies 80 --decisions tests/golden/decisions.json

Decisions, budget, record and samplers are the real ones; processes, disk and clock are simulated. Prints the seeds that break
an invariant, and how often what went wrong. `--decisions` writes down what was decided instead. A test compares with that, so it
is written anew only by whoever means to change decisions.
"""

import argparse
import json
import logging
import sys
import tempfile
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.simulator.decisions import decisions_of
from benchmarks.simulator.invariants import Broken
from benchmarks.simulator.simulation import Simulation

MEMORY = Path("/dev/shm")


def main() -> int:
    """Simulate, print, and return 1 if an invariant broke."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--seed", type=int, help="simulate this one alone")
    parser.add_argument("--decisions", type=Path, metavar="FILE", help="write a digest of every study's decisions")
    parser.add_argument("--from", type=int, default=0, dest="first", metavar="SEED")
    arguments = parser.parse_args()
    seeds = range(arguments.first, arguments.first + arguments.studies) if arguments.seed is None else [arguments.seed]
    if arguments.decisions is not None:
        arguments.decisions.write_text(json.dumps(decisions_of(seeds), indent=1) + "\n")
        return 0
    faults, counts, broken = Counter[str](), Counter[str](), dict[int, str]()
    with ProcessPoolExecutor() as pool:
        for seed, (said, struck, numbers) in zip(seeds, pool.map(partial(simulated), seeds, chunksize=20), strict=True):
            faults.update(struck)
            counts.update(numbers)
            if said is not None:
                broken[seed] = said
                print(f"seed {seed}: {said}", flush=True)
    table = Table("what", "times")
    for what, count in [
        ("studies", len(seeds)),
        *sorted(counts.items()),
        *sorted(faults.items()),
        ("broken", len(broken)),
    ]:
        table.add_row(what, str(count))
    Console().print(table)
    return 1 if broken else 0


def simulated(seed: int) -> tuple[str | None, list[str], dict[str, int]]:
    """Simulate the study of a seed; return what broke, what went wrong, and how much happened."""
    logging.disable()  # every fault would be told of
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        simulation = Simulation(seed, Path(folder))
        try:
            simulation.run()
            said = None
        except Broken as error:
            said = str(error)
        except Exception:
            said = traceback.format_exc()
    return said, simulation.faults.log, {"launches": simulation.launches, "epochs": simulation.steps}


if __name__ == "__main__":
    sys.exit(main())
