"""Whether what a space may draw fits the data: heads that need a number or an order, batches that the folds can fill."""

from typing import Any

from datasets.preparation import PreparedData
from search_spaces import SearchSpace, SpaceError
from trainables.training.heads.registry import NEEDS_NUMBER, NEEDS_ORDER
from trainables.training.images.sampling import batches_per_epoch


def check_fits_data(space: SearchSpace, data: PreparedData) -> None:
    """Refuse what no trial could be trained with on this data.

    Raises:
        SpaceError: names the knob, the reason and the way out.
    """
    ordered = bool(data.facts()["ordered"])
    for head in values_of(space, "head"):
        if head in NEEDS_NUMBER and data.number is None:
            raise SpaceError(
                space.name,
                "head",
                f"{head} needs a number behind the label, and {space.task} has none; say"
                " data.bins for a CSV column of numbers, or take classification",
            )
        if head in NEEDS_ORDER and not ordered:
            raise SpaceError(
                space.name,
                "head",
                f"{head} needs an order of the classes, and {space.task} has none; say"
                " data.ordered for a CSV column whose classes have one, or take classification",
            )
    smallest = smallest_training_fold(data)
    batch = int(max(values_of(space, "batch_size")))
    if batch > smallest:
        raise SpaceError(
            space.name, "batch_size", f"{batch} is larger than the {smallest} images that a fold trains on; lower it"
        )
    accumulation = int(max(values_of(space, "accumulation")))
    fewest = batches_per_epoch(smallest, batch)
    if accumulation > fewest:
        raise SpaceError(
            space.name,
            "accumulation",
            f"{accumulation} batches make a step, but an epoch may have only {fewest}; lower it or batch_size",
        )


def smallest_training_fold(data: PreparedData) -> int:
    """Return the number of images of the smallest set that a fold trains on."""
    folds = data.samples()["fold"]
    return len(folds) - int(folds.value_counts().max())


def values_of(space: SearchSpace, knob: str) -> list[Any]:
    """Return the values that trials may have of a knob: all of a choice, both ends of a range, the recipe's."""
    parameter = space.parameters.get(knob)
    return [space.recipe()[knob], *(() if parameter is None else parameter.extremes)]
