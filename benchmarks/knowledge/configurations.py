"""The list of configurations that is judged on every small set: designed ones, and random ones from the shipped spaces.

python -m benchmarks.knowledge.configurations      # the random ones, drawn as they stand in configurations.yaml
"""

from pathlib import Path
from typing import Any

import yaml

from schedulers.samplers.ask import ask
from schedulers.search_settings import make_strategy
from schedulers.strategy import Strategy
from search_spaces import SearchSpace, load_space
from studies.state.study_state import StudyState
from trainables.config import train_config

FILE = Path(__file__).with_suffix(".yaml")
DRAWN_BEFORE, RANDOM, DIGITS = 26, 8, 4  # random ones of version 1, of version 2, and their digits
MIRRORED = "horizontal_flip={choice: [0.0, 0.5]}"  # which the shipped spaces fix: off for letters, on for faces


def configurations() -> dict[str, dict[str, Any]]:
    """Return all configurations by name, the recipe first, each with the recipe's values where it says nothing."""
    spelled = _spelled()
    random = {f"random {number}": drawn for number, drawn in enumerate(spelled["random"], 1)}
    return {name: {**spelled["recipe"], **own} for name, own in {**spelled["designed"], **random}.items()}


def version() -> int:
    """Return the version of the list."""
    return int(_spelled()["version"])


def _spelled() -> dict[str, Any]:
    spelled: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return spelled


def draw() -> list[dict[str, Any]]:
    """Return what the shipped spaces draw by chance, but for knobs that some tasks do not have (heads).

    Those of version 1 were drawn from narrower spaces, and stay as they are.
    """
    overrides = ["search.sampler=random", "constants.epochs=6", MIRRORED]
    space = load_space("mask", knobs=train_config(), overrides=overrides)
    ladder = make_strategy(space)
    return [_drawn(space, ladder, DRAWN_BEFORE + number) for number in range(1, RANDOM + 1)]


def _drawn(space: SearchSpace, ladder: Strategy, number: int) -> dict[str, Any]:
    active = space.active(ask(space, StudyState(), ladder, number))
    return {name: float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value for name, value in active.items()}


if __name__ == "__main__":
    print(yaml.safe_dump({"random": draw()}, default_flow_style=None, sort_keys=False, width=1000))
