"""Who goes on, five answers: each a `Strategy` of its own, by the name that `search.scheduler` gives it."""

from dataclasses import fields

import plugins
from plugins.registry import Registry
from schedulers.strategies.asha import Asha
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategies.full import Full
from schedulers.strategies.stopping_asha import StoppingAsha
from schedulers.strategies.survey import Survey
from schedulers.strategy import Strategy

STRATEGIES: Registry[type[Strategy]] = plugins.STRATEGIES
_BUILT_IN: dict[str, type[Strategy]] = {
    "fold_ladder": FoldLadder,
    "survey": Survey,
    "asha": Asha,
    "stopping_asha": StoppingAsha,
    "full": Full,
}
for _name, _strategy in _BUILT_IN.items():
    STRATEGIES.add(_name, _strategy)


def settings_of(strategy: type[Strategy]) -> tuple[str, ...]:
    """Return the names of the settings that a strategy has, beside epochs and folds."""
    return tuple(
        setting.name for setting in fields(strategy) if setting.init and setting.name not in ("epochs", "folds")
    )
