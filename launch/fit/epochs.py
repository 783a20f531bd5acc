"""Whether what a space states in epochs fits the epochs of a fold, and what it cuts fits a pixel."""

from launch.fit.data import values_of
from search_spaces import SearchSpace, SpaceError
from trainables.config import train_config

_LESS = {  # than the epochs of a fold, or as many
    "warmup_epochs": "the rate would never be reached",
    "decay_epochs": "the rate would never fall",
    "frozen_epochs": "there are no more to rest for",
    "swa_epochs": "there are no more to average",
}


def check_fits_epochs(space: SearchSpace) -> None:
    """Refuse what would do nothing, or not what it says, in a training of so many epochs.

    Raises:
        SpaceError: names the knob, the reason and the way out.
    """
    reachable = {name: values_of(space, name) for name in space.recipe() if "." not in name}
    epochs = int(space.recipe()["epochs"])
    for knob, reason in _LESS.items():
        if max(reachable[knob]) > epochs and train_config().idle_because(knob, reachable) is None:
            raise SpaceError(
                space.name, knob, f"{max(reachable[knob]):g} is more than the {epochs} epochs: {reason}; lower it"
            )
    if max(reachable["unmixed_epochs"]) >= epochs and train_config().idle_because("unmixed_epochs", reachable) is None:
        raise SpaceError(space.name, "unmixed_epochs", f"no epoch of {epochs} would be left to mix in; lower it")
    _check_cut(space, float(max(reachable["cutmix_kept"])), reachable["cutmix_shape"])


def _check_cut(space: SearchSpace, kept: float, shapes: list[str]) -> None:
    side = int(space.recipe()["image_size"])
    if "vertical_half" in shapes and round((1 - kept) * side) < 1:
        raise SpaceError(
            space.name, "cutmix_kept", f"leaves no column of {side} to cut out when it keeps {kept:g}; lower it"
        )
