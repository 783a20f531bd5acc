"""Who goes on, six answers: each a `Ladder` of its own, by the name that `search.scheduler` gives it."""

from dataclasses import fields

import plugins
from plugins.registry import Registry
from schedulers.ladder import Ladder
from schedulers.strategies.asha import Asha
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategies.full import Full
from schedulers.strategies.lockstep import Lockstep
from schedulers.strategies.stopping_asha import StoppingAsha
from schedulers.strategies.survey import Survey

STRATEGIES: Registry[type[Ladder]] = plugins.STRATEGIES
_BUILT_IN: dict[str, type[Ladder]] = {
    "fold_ladder": FoldLadder,
    "survey": Survey,
    "asha": Asha,
    "stopping_asha": StoppingAsha,
    "lockstep": Lockstep,
    "full": Full,
}
for _name, _strategy in _BUILT_IN.items():
    STRATEGIES.add(_name, _strategy)


def settings_of(strategy: type[Ladder]) -> tuple[str, ...]:
    """Return the names of the settings that a strategy has, beside epochs and folds."""
    return tuple(
        setting.name for setting in fields(strategy) if setting.init and setting.name not in ("epochs", "folds")
    )
