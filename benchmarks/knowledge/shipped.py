"""Choose the shipped portfolio from the recorded sets, and say what such a choice is worth on a set that it has not seen.

    python -m benchmarks.knowledge.shipped              # leave-one-set-out, nothing written
    python -m benchmarks.knowledge.shipped --write      # search_spaces/portfolios/shipped.yaml

The rows are those of `benchmarks.knowledge.record`. Regret is what the best configuration of the left-out set scores above the
best of the first few; a random order of the same configurations stands beside it.
"""

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from analysis.portfolio.tables import table_portfolio
from benchmarks.knowledge.configurations import configurations, version
from benchmarks.knowledge.recorded_set import recorded_sets
from benchmarks.sets.prepared import SIDE
from search_spaces.portfolio import FOLDER, SHIPPED, Nets, Portfolio
from storage.atomic import write_text
from trainables.config import configured

FIRST = 12  # configurations that a study may begin with
LOOKS = (1, 2, 3, 4, 6, 8, 12)
RELATIVES = (frozenset({"age", "gender", "mask"}), frozenset({"mnist", "small_digits"}))  # the same persons; digits
_LEFT_OUT = ("batch_size",)  # knobs that follow from the number of pictures: what changes them is not shipped
_NOTE = f"""\
# What a new study tries first: configurations that did best on small sets of pictures, and what all of them were worth there, for
# the sampler. From benchmarks/rows/sets (benchmarks/knowledge/configurations.yaml, version {version()}), by
#   python -m benchmarks.knowledge.shipped --write
"""


def tables() -> dict[str, dict[str, float]]:
    """Return the scores over all folds by set and configuration."""
    return {one.name: dict(zip(one.configurations, one.final.tolist(), strict=True)) for one in recorded_sets()}


def described(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return configurations by the knobs that they differ in and that make a difference."""
    every = {name: configured(values) for name, values in configurations().items() if name in names}
    whole = [one.model_dump(mode="json") for one in every.values()]
    varied = [knob for knob in whole[0] if len({str(one[knob]) for one in whole}) > 1]
    return {
        name: {knob: value for knob, value in one.effective().items() if knob in varied} for name, one in every.items()
    }


def shipped(sets: dict[str, dict[str, float]]) -> Portfolio:
    """Return the portfolio of some sets."""
    every = configurations()
    recorded = set.intersection(*(set(values) for values in sets.values()))
    kept = [
        name
        for name in every
        if name in recorded and all(every[name][knob] == every["recipe"][knob] for knob in _LEFT_OUT)
    ]
    scores = {name: [values[one] for one in kept] for name, values in sets.items()}
    return table_portfolio(described(kept), scores, metric="macro_f1", first=FIRST, nets=_nets())


def _nets() -> Nets:
    recipe = configured(configurations()["recipe"])
    return Nets(backbones=(recipe.backbone,), image_sizes=(SIDE,), epochs=(recipe.epochs,))


def portfolio_without(name: str, sets: dict[str, dict[str, float]]) -> Portfolio:
    """Return the portfolio of all sets but one and its relatives."""
    related = relatives(name)
    return shipped({other: scores for other, scores in sets.items() if other not in related})


def relatives(name: str) -> frozenset[str]:
    """Return a set and those that are left out with it: the same persons, or the same kind of pictures."""
    return next((one for one in RELATIVES if name in one), frozenset({name}))


def left_out(sets: dict[str, dict[str, float]]) -> Iterator[tuple[str, list[float], list[float]]]:
    """Yield every set with the regret after the first few of the others' portfolio, and of random orders."""
    generator = np.random.default_rng(0)
    for name, scores in sets.items():
        chosen = portfolio_without(name, sets)
        ordered = np.array([scores[one.origin] for one in chosen.configurations])
        drawn = np.array([_regrets(generator.permutation(ordered)) for _ in range(400)])
        yield name, _regrets(ordered).tolist(), drawn.mean(axis=0).tolist()


def _regrets(ordered: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    best = np.maximum.accumulate(ordered)
    return np.asarray(ordered.max() - best[[look - 1 for look in LOOKS]])


def shown(rows: Sequence[tuple[str, list[float], list[float]]]) -> Table:
    """Return the regrets as a table."""
    table = Table(
        "left out", *(f"first {look}" for look in LOOKS), title="regret: portfolio of the others / random order"
    )
    means = [np.mean([sides[which] for _, *sides in rows], axis=0).tolist() for which in (0, 1)]
    for name, ours, drawn in [*rows, ("mean", *means)]:
        table.add_row(name, *(f"{one:.3f} / {other:.3f}" for one, other in zip(ours, drawn, strict=True)))
    return table


def main() -> None:
    """Print the table; write the portfolio if that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    arguments, sets = parser.parse_args(), tables()
    Console(width=150).print(shown(list(left_out(sets))))
    if arguments.write:
        write_text(FOLDER / f"{SHIPPED}.yaml", _NOTE + shipped(sets).spelled())


if __name__ == "__main__":
    main()
