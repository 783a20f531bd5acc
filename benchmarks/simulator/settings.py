"""What a simulated study is searched under, drawn from its seed."""

import random
from dataclasses import dataclass

from schedulers.strategies import STRATEGIES
from search_spaces import Range, SearchSettings, SearchSpace


@dataclass(frozen=True)
class Settings:
    """A study, its slots, and how many things go wrong."""

    seed: int
    space: SearchSpace
    slots: int
    faults: int
    epochs: int  # of every fold
    folds: int

    @classmethod
    def of(cls, seed: int) -> "Settings":
        """Return the settings of a seed."""
        dice = random.Random(seed)
        epochs, folds = dice.randint(1, 6), dice.randint(2, 4)
        search = _searched(dice, epochs, folds)
        space = SearchSpace(
            name="simulated",
            profile=None,
            task="simulated",
            data={},
            metric="macro_f1",
            parameters={"learning_rate": Range(low=0.0, high=1.0)},
            constants={"epochs": epochs},
            defaults={"backbone": "none", "image_size": 64, "batch_size": 16, "epochs": epochs, "learning_rate": 0.5},
            search=search,
        )
        return cls(seed, space, dice.randint(1, 4), dice.choice([0, 0, 1, 2, 5, 12]), epochs, folds)


def _searched(dice: random.Random, epochs: int, folds: int) -> SearchSettings:
    trials = dice.randint(1, 12)
    budget: dict[str, object] = {}
    kind = dice.choice(["none", "fold_epochs", "time", "both"])
    if kind in ("fold_epochs", "both"):
        least = 2 * folds * epochs  # of the recipe and a finalist
        budget["fold_epochs"] = dice.randint(least, max(least, trials * folds * epochs))
    if kind in ("time", "both"):
        budget["time_budget"] = f"{dice.randint(1, 2 * trials * folds * epochs + 1)}s"
    if dice.random() < 0.3:
        budget["disk_budget"] = f"{dice.randint(4, 60)}B"
    scheduler = dice.choice(list(STRATEGIES))
    return SearchSettings.model_validate(
        {
            "sampler": "random",
            "scheduler": scheduler,
            "trials": trials,
            "folds": folds,
            "finalists": dice.randint(1, min(3, trials)),
            "seed": dice.randint(0, 99),
            **budget,
        }
    )
