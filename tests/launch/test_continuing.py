"""What a study that goes on keeps from disk, and what it takes from the command line: a table."""

from typing import Any

import pytest

from launch.continuing import continued
from search_spaces import SearchSpace
from tests.toys.search import toy_space

NOTHING: tuple[str, ...] = ()


def space(**search: Any) -> SearchSpace:
    return toy_space(**{"sampler": "gp", **search})


@pytest.mark.parametrize(
    ("setting", "begun", "launch", "overrides", "kept"),
    [
        ("portfolio", {"portfolio": "mine.yaml"}, {}, NOTHING, "mine.yaml"),
        ("portfolio", {"portfolio": "mine.yaml"}, {"portfolio": "other.yaml"}, NOTHING, "other.yaml"),
        ("portfolio", {}, {}, NOTHING, "none"),
        ("sampler", {"sampler": "tpe"}, {}, NOTHING, "tpe"),
        ("sampler", {"sampler": "tpe"}, {}, ("search.sampler=gp",), "gp"),
        ("sampler_options", {"sampler_options": {"n_startup_trials": 3}}, {}, NOTHING, {"n_startup_trials": 3}),
        ("looks", {"looks": 4}, {}, NOTHING, 4),
        ("looks", {"looks": 4}, {"looks": 1}, NOTHING, 1),
        ("looks", {"portfolio": "shipped"}, {}, NOTHING, 2),  # of the version that wrote no looks down
        ("looks", {}, {}, NOTHING, 3),
        ("keep", {"keep": 0.3}, {}, NOTHING, 0.3),
        ("keep", {"keep": 0.3}, {"scheduler": "survey"}, NOTHING, None),
        ("trials", {"trials": 9}, {"trials": 30}, NOTHING, 30),
        ("time_budget", {"time_budget": 60}, {}, NOTHING, None),
        ("scheduler", {"scheduler": "full"}, {}, NOTHING, "fold_ladder"),
        ("grace_period", {"grace_period": 2}, {}, NOTHING, None),
        ("seed", {"seed": 1}, {"seed": 2}, NOTHING, 2),
    ],
)
def test_a_setting_is_the_studys_or_the_launchs(
    setting: str, begun: dict[str, Any], launch: dict[str, Any], overrides: tuple[str, ...], kept: object
) -> None:
    assert getattr(continued(space(**launch), space(**begun), overrides).search, setting) == kept


def test_sizes_that_followed_from_the_data_stay_what_they_were() -> None:
    auto = space().model_copy(update={"sized_by_data": ("epochs",)})
    begun = space().model_copy(update={"constants": {"epochs": 5}})
    assert continued(auto, begun).recipe()["epochs"] == 5
