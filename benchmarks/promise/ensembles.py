"""Where voting beats the best single trial, and where it does not: sample faces, and two sets of real pictures.

    python -m benchmarks.promise.ensembles

What every method chooses on the out-of-fold predictions of a recorded study, judged on fresh persons. Differences are paired;
intervals (90 %) are over studies. Whether one study's difference is more than noise is asked of fresh persons drawn anew.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table
from scipy.stats import t as student

from benchmarks.promise.record import OUT, file_of
from benchmarks.promise.recorded import RecordedStudy, read_study
from benchmarks.promise.studies import SETS, set_studies, small_studies
from voting.calibration.decision import Decision
from voting.ensemble.fit import Ensemble, Wanted
from voting.out_of_fold.eliminations import rows_of_persons
from voting.out_of_fold.pool import equal_weights
from voting.selection.choice import tried
from voting.selection.methods import methods

Scores = Mapping[str, npt.NDArray[np.float64]]  # by who votes: the score on all fresh persons, then on drawn ones
_DRAWS = 100
_FACES = "sample faces"


def main() -> None:
    """Judge and print, a table a group of sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=OUT)
    arguments = parser.parse_args()
    groups: dict[str, list[Scores]] = {}
    for study in (*small_studies(), *set_studies()):
        if file_of(arguments.recorded, study).exists():
            group = study.task if study.task in SETS else _FACES
            groups.setdefault(group, []).append(fresh_scores(read_study(arguments.recorded, study)))
    for name, scores in groups.items():
        Console(width=100).print(methods_table(name, scores))


def fresh_scores(one: RecordedStudy) -> Scores:
    """Return what recipe, best single and every method score on fresh persons, and on those drawn anew."""
    pool, task = one.pool, one.study.task
    voters = {"recipe": Ensemble("recipe", equal_weights(pool.size, [0]), Decision())}
    for each in tried(pool, methods(pool, pool.size)):
        voters[each.method.name if each.method.name == "uniform" else each.method.label] = Ensemble(
            each.method.label, each.weights, Decision()
        )
    voters["chosen, with class weights"] = one.tasks.fit(one.tasks.everyone(), Wanted())[task]
    generator, persons = np.random.default_rng(0), np.unique(one.fresh.persons)
    draws = [generator.choice(persons, len(persons)) for _ in range(_DRAWS)]
    rows = [np.arange(len(one.fresh.ids)), *(rows_of_persons(one.fresh.persons, drawn) for drawn in draws)]
    return {name: np.array([one.truth(ensemble, part) for part in rows]) for name, ensemble in voters.items()}


def methods_table(title: str, studies: Sequence[Scores]) -> Table:
    """Return mean scores on fresh persons and by how much each is ahead of the best single trial."""
    table = Table(title=f"{title}, {len(studies)} studies", title_justify="left")
    for column in ("who votes", "macro F1", "ahead of the best single", "more than noise in"):
        table.add_column(column, justify="left" if column == "who votes" else "right")
    for name in studies[0]:
        ahead = [one[name] - one["single"] for one in studies if name in one]
        score = np.mean([one[name][0] for one in studies if name in one])
        table.add_row(name, f"{score:.4f}", "" if name == "single" else _interval(ahead), _beyond(ahead))
    return table


def _interval(ahead: Sequence[npt.NDArray[np.float64]]) -> str:
    means = np.array([one[0] for one in ahead])
    if len(means) < 2:
        return f"{means.mean():+.4f}"
    reach = student.ppf(0.95, len(means) - 1) * means.std(ddof=1) / len(means) ** 0.5
    return f"{means.mean():+.4f} ± {reach:.4f}"


def _beyond(ahead: Sequence[npt.NDArray[np.float64]]) -> str:
    """Return in how many studies it is ahead, and behind, with 95 % of the drawn persons."""
    better = sum(bool(np.quantile(one[1:], 0.05) > 0) for one in ahead)
    worse = sum(bool(np.quantile(one[1:], 0.95) < 0) for one in ahead)
    return f"{better} better, {worse} worse"


if __name__ == "__main__":
    main()
