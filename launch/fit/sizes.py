"""What follows from the number of pictures: `epochs: auto` and `batch_size: auto`.

Steps of the optimizer, not epochs, are what a small set lacks: `python -m benchmarks.sizing` measures how many help.
"""

from math import ceil

from datasets.preparation import PreparedData
from launch.fit.data import smallest_training_fold
from search_spaces import SearchSpace

STEPS = 200  # that a fold is trained at least: half of them cost 0.06 of macro F1, twice as many gain nothing that could be seen
SMALL = 3_000  # pictures: below, a batch of 16 scored as much as one of 32 for the same images or more; above, none was measured
EPOCHS = (4, 24)  # at least and at most


def sizes_for(pictures: int, batch_size: int | None = None, accumulation: int = 1) -> dict[str, int]:
    """Return batch size and epochs for so many training pictures of a fold; the epochs for a batch size that is stated."""
    batch = batch_size or min(16 if pictures < SMALL else 32, pictures)
    epochs = ceil(STEPS / ceil(pictures / (batch * accumulation)))
    return {"batch_size": batch, "epochs": min(max(epochs, EPOCHS[0]), EPOCHS[1])}


def sized(space: SearchSpace, data: PreparedData) -> tuple[SearchSpace, list[str]]:
    """Return the space with numbers for auto, and a line that says them; a study that was begun has its own already."""
    if not space.sized_by_data:
        return space, []
    if space.sized:
        return space, [_told(space, "as the study began")]
    pictures, recipe = smallest_training_fold(data), space.recipe()
    stated = None if "batch_size" in space.sized_by_data else int(recipe["batch_size"])
    numbers = space.with_sizes(sizes_for(pictures, stated, int(recipe["accumulation"])))
    return numbers, [_told(numbers, f"for {pictures} training pictures a fold")]


def _told(space: SearchSpace, reason: str) -> str:
    values = ", ".join(f"{name} {space.recipe()[name]}" for name in space.sized_by_data)
    return f"Sized by the data: {values} ({reason})."
