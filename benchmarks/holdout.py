"""Whether a holdout of thirty persons can be trusted: how its ages lie, how far its score goes astray, what the bootstrap says.

    python -m benchmarks.holdout
    python -m benchmarks.holdout --bundle ensembles/age --fresh 300

The first part needs no model: over many seeds, how many years lie between the persons of the sample faces' holdout and the
nearest border of an age class. With a bundle, fresh persons are drawn and voted on, and thirty of them are set aside again and
again, as a study does it: what their score varies by, and what the bootstrap over persons says of each.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table as Shown

from datasets.sources.competition import read_competition
from datasets.sources.sample_faces import sample_faces_root
from datasets.splits import deal, numbers_of, strata_of
from datasets.table import Table
from storage.rebuilt_folder import cache_root
from studies.metrics import macro_f1
from voting.bundle.manifest import open_bundle
from voting.predicting.runtime import load_task, vote
from voting.promise.spread import person_bootstrap

BORDERS = (29.5, 59.5)  # years between the age classes
SHIPPED = {"people": 150, "seed": 0}
FRESH_SEED = 7
Draw = Callable[[int], tuple[str, ...]]  # a seed in, the persons of a holdout out
console = Console(width=120)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, help="an exported bundle that votes on age")
    parser.add_argument("--fresh", type=int, default=300, help="persons to draw for it (default: 300)")
    parser.add_argument("--seeds", type=int, default=1000, help="splits to draw (default: 1000)")
    arguments = parser.parse_args()
    print_ages(arguments.seeds)
    if arguments.bundle:
        print_scores(arguments.bundle, arguments.fresh, arguments.seeds)


def faces(people: int, seed: int) -> Table:
    """Return drawn people, as a study of the sample faces has them."""
    return read_competition(sample_faces_root(cache_root(), people, seed, "balanced", 0.5), ())


def draws(table: Table, share: float) -> dict[str, Draw]:
    """Return both ways to set persons aside: by group alone, and by the number inside the group, too."""
    _, strata = strata_of(table, "person")
    numbers = numbers_of(table, "person")
    return {
        "by group": lambda seed: deal(strata, 5, share, seed)[0],
        "by group and years": lambda seed: deal(strata, 5, share, seed, numbers)[0],
    }


def print_ages(seeds: int) -> None:
    """Print how far the holdouts' ages lie from the class borders."""
    table = faces(**SHIPPED)
    years = numbers_of(table, "person") or {}
    distance = {person: min(abs(age - border) for border in BORDERS) for person, age in years.items()}
    shown = Shown(
        "holdout of 30", "years from a border: mean", "sd over splits", "seed 0", title="All: ", title_justify="left"
    )
    shown.title = (
        f"All {len(distance)} persons stand {np.mean(list(distance.values())):.2f} years from a border on average"
    )
    for name, draw in draws(table, 0.2).items():
        means = [float(np.mean([distance[person] for person in draw(seed)])) for seed in range(seeds)]
        shown.add_row(name, f"{np.mean(means):.2f}", f"{np.std(means):.2f}", f"{means[0]:.2f}")
    console.print(shown)


def print_scores(bundle: Path, fresh: int, seeds: int) -> None:
    """Print what holdouts of thirty fresh persons score."""
    table = faces(fresh, FRESH_SEED)
    (task,) = (task for task in open_bundle(bundle).tasks if task.task == "age")
    votes = vote(load_task(task, bundle), table.paths(), task).decided.astype(np.float32)
    targets, persons = table.frame["age"].to_numpy(), table.frame["person"].to_numpy(str)
    whole, spread = macro_f1(targets, votes), person_bootstrap(macro_f1, targets, votes, persons)
    shown = Shown("30 of them, set aside", "score: mean", "sd over splits", "bootstrap says", "inside 2 sd")
    shown.title, shown.title_justify = f"{fresh} fresh persons: macro F1 {whole:.3f} ± {spread:.3f}", "left"
    for name, draw in draws(table, 30 / fresh).items():
        scores, said = drawn_scores(draw, persons, targets, votes, seeds)
        inside = np.mean(np.abs(scores[: len(said)] - whole) <= 2 * said)
        shown.add_row(name, f"{scores.mean():.3f}", f"{scores.std():.3f}", f"{said.mean():.3f}", f"{inside:.0%}")
    console.print(shown)


def drawn_scores(
    draw: Draw,
    persons: npt.NDArray[np.str_],
    targets: npt.NDArray[np.int64],
    votes: npt.NDArray[np.float32],
    seeds: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the scores of many holdouts, and of the first hundred what the bootstrap says about their spread."""
    rows = [np.isin(persons, draw(seed)) for seed in range(seeds)]
    scores = np.array([macro_f1(targets[row], votes[row]) for row in rows])
    said = [person_bootstrap(macro_f1, targets[row], votes[row], persons[row]) for row in rows[:100]]
    return scores, np.array(said)


if __name__ == "__main__":
    main()
