"""The names of the mask competition's layout: what a path says about an image. Needs nothing but text."""

from pathlib import PurePath

CLASSES = {
    "mask": ("wear", "incorrect", "normal"),
    "gender": ("male", "female"),
    "age": ("under_30", "30_to_59", "60_and_over"),
}
AGE_BORDERS = (30.0, 60.0)  # years at which a new age class begins
MASK_OF_STEM = {**{f"mask{number}": 0 for number in range(1, 6)}, "incorrect_mask": 1, "normal": 2}


def labels_of(path: PurePath) -> dict[str, int] | None:
    """Return the class numbers that <id>_<gender>_<race>_<age>/<kind>.jpg spells, None for another path.

    Known label errors are not corrected here: a person's folder keeps its name.
    """
    parts = path.parent.name.split("_")
    if (
        path.stem not in MASK_OF_STEM
        or len(parts) != 4
        or parts[1] not in CLASSES["gender"]
        or not parts[3].isdecimal()
    ):
        return None
    return {
        "mask": MASK_OF_STEM[path.stem],
        "gender": CLASSES["gender"].index(parts[1]),
        "age": sum(int(parts[3]) >= border for border in AGE_BORDERS),
    }
