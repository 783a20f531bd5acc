"""Coverage over hundreds of re-splits: the finalists of the recorded studies, their choice made on fresh persons drawn anew.

    python -m benchmarks.promise.resplits --draws 15

Every draw takes as many fresh persons as the study had, judges each by the model of one fold, as out of fold, makes the whole
choice on them, promises, without and with others as a holdout, and looks the truth up on the rest. No training: the models are
those of the study.
"""

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.promise.coverage import Fresh, Row, coverage_table, judged
from benchmarks.promise.gains import fitted_without, gains_of
from benchmarks.promise.record import OUT, file_of
from benchmarks.promise.recorded import read_study
from benchmarks.promise.studies import FRESH, TASKS, SmallStudy, small_studies
from voting.promise.gain import Averaging

_RESAMPLES = 100  # half of an export's: the mean of a hundred is sure enough


def main() -> None:
    """Draw, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=OUT)
    parser.add_argument("--draws", type=int, default=15, help="of every study (default: 15)")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    there = [study for study in small_studies() if file_of(arguments.recorded, study).exists()]
    gains = [gains_of(read_study(arguments.recorded, study)) for study in there]
    runs = [(study, draw, fitted_without(study.task, gains)) for study, draw in product(there, range(arguments.draws))]
    with ProcessPoolExecutor(arguments.workers, get_context("spawn")) as pool:
        rows = list(pool.map(partial(redrawn, arguments.recorded), *zip(*runs, strict=True)))
    Console(width=120).print(coverage_table(rows))


def redrawn(recorded: Path, study: SmallStudy, draw: int, averaging: Averaging) -> Row:
    """Return the promise of one draw, and what is true on the other fresh persons."""
    one, generator = read_study(recorded, study), np.random.default_rng((TASKS.index(study.task), study.seed, draw))
    parts = np.split(generator.permutation(FRESH), [study.persons, study.persons + study.persons // 4])
    persons, held, others = (np.sort(part) for part in parts)
    return judged(one.redrawn(persons, generator), averaging, Fresh(held, others), _RESAMPLES)


if __name__ == "__main__":
    main()
