"""What the margins of the choice cost: how sure more voters, and class weights, must be ahead before they are taken.

    python -m benchmarks.promise.margins --draws 5

Over the recorded studies and re-splits of them, the score on fresh persons of what would have been chosen.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.promise.record import OUT, file_of
from benchmarks.promise.recorded import RecordedStudy, read_study
from benchmarks.promise.studies import FRESH, small_studies
from voting.calibration.choice import accepted_class_weights
from voting.calibration.decision import Decision
from voting.ensemble.fit import Ensemble
from voting.out_of_fold.objective import Rows
from voting.selection.choice import chosen, tried
from voting.selection.methods import methods

TIES, MARGINS = (0.0, 0.25, 0.5, 1.0, 2.0), (0.0, 0.5, 1.0, 2.0, np.inf)


def main() -> None:
    """Choose with every margin and print the mean scores."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recorded", type=Path, default=OUT)
    parser.add_argument("--draws", type=int, default=5, help="re-splits of every study (default: 5)")
    arguments = parser.parse_args()
    there = [study for study in small_studies() if file_of(arguments.recorded, study).exists()]
    scores: dict[str, list[float]] = {}
    for study in there:
        one = read_study(arguments.recorded, study)
        generator = np.random.default_rng(study.seed)
        cases = [(one, np.arange(FRESH))]
        for _ in range(arguments.draws):
            persons = np.sort(generator.choice(FRESH, study.persons, replace=False))
            cases.append((one.redrawn(persons, generator), np.setdiff1d(np.arange(FRESH), persons)))
        found = [fresh_scores(case, others) for case, others in cases]
        for name in found[0]:  # some methods are open to all cases or none
            scores.setdefault(name, []).append(float(np.mean([one[name] for one in found])))
    Console(width=100).print(margins_table(scores))


def fresh_scores(one: RecordedStudy, persons: Rows) -> dict[str, float]:
    """Return what is chosen by every method and margin scores on fresh persons."""
    pool, rows = one.pool, one.rows_of(persons)
    found = tried(pool, methods(pool, pool.size))
    scores = {f"method {each.method.label}": one.truth(Ensemble("", each.weights, Decision()), rows) for each in found}
    for tie in TIES:
        taken = chosen(pool, found, tie)
        scores[f"tie {tie:g}"] = one.truth(Ensemble("", taken.weights, Decision()), rows)
    taken = chosen(pool, found)
    for margin in MARGINS:
        weights = accepted_class_weights(pool, taken.votes, pool.vote(taken.weights), margin)
        scores[f"class weights {margin:g}"] = one.truth(Ensemble("", taken.weights, Decision(1.0, weights)), rows)
    return scores


def margins_table(scores: dict[str, list[float]]) -> Table:
    """Return mean scores, and by how much each is ahead of the best single, paired by study, with its 90 % interval."""
    table = Table(title=f"{len(scores['tie 0'])} studies", title_justify="left")
    for column in ("chosen by", "macro F1 on fresh persons", "ahead of the best single"):
        table.add_column(column, justify="left" if column == "chosen by" else "right")
    for name, values in scores.items():
        table.add_row(name, f"{np.mean(values):.4f}", _ahead(values, scores["method single"]))
    return table


def _ahead(values: Sequence[float], single: Sequence[float]) -> str:
    ahead = np.array(values) - np.array(single)
    return f"{ahead.mean():+.4f} ± {1.645 * ahead.std(ddof=1) / len(ahead) ** 0.5:.4f}"


if __name__ == "__main__":
    main()
