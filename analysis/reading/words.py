"""Values, counts and places as people read them."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from studies.state.rungs import Rung, Rungs

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def spell_value(value: object) -> str:
    """Return a value, numbers in four digits."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def spell_parameters(configuration: Mapping[str, object]) -> str:
    """Return 'name value, name value', numbers in four digits."""
    return ", ".join(f"{name} {spell_value(value)}" for name, value in configuration.items())


def spell_differences(configuration: Mapping[str, object], recipe: Mapping[str, object]) -> str:
    """Return the parameters in which a configuration differs from the recipe, with their values."""
    other = {name: value for name, value in configuration.items() if name not in recipe or value != recipe[name]}
    return spell_parameters(other) or "as the recipe"


def counted(number: int, noun: str) -> str:
    """Return '1 trial', '2 trials'."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def ordinal(place: int) -> str:
    """Return 'first' to 'tenth', then '11th'."""
    if place <= len(_ORDINALS):
        return _ORDINALS[place - 1]
    ending = {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th") if place % 100 not in (11, 12, 13) else "th"
    return f"{place}{ending}"


def spell_rung(rung: Rung, rungs: Rungs) -> str:
    """Return how far a rung is, such as '3 epochs', '1 fold', '2 folds and 3 epochs' or 'all 5 folds'."""
    return spell_fold_epochs(rungs.cost(rung), rungs)


def spell_fold_epochs(fold_epochs: int, rungs: Rungs) -> str:
    """Return how much training that is, such as '3 epochs', '1 fold', '2 folds and 3 epochs' or 'all 5 folds'."""
    folds, epochs = divmod(fold_epochs, rungs.epochs)
    if not folds:
        return counted(epochs, "epoch")
    if epochs:
        return f"{counted(folds, 'fold')} and {counted(epochs, 'epoch')}"
    return f"all {counted(folds, 'fold')}" if fold_epochs >= rungs.whole else counted(folds, "fold")


def typed_path(path: Path) -> str:
    """Return a path as it is typed from here, in quotes where a shell needs them."""
    return shlex.quote(os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path))
