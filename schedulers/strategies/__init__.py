"""Who goes on, six answers: each a `Ladder` of its own, by the name that `search.scheduler` gives it."""

from schedulers.ladder import Ladder
from schedulers.strategies.asha import Asha
from schedulers.strategies.fold_ladder import FoldLadder
from schedulers.strategies.full import Full
from schedulers.strategies.lockstep import Lockstep
from schedulers.strategies.stopping_asha import StoppingAsha
from schedulers.strategies.survey import Survey

STRATEGIES: dict[str, type[Ladder]] = {
    "fold_ladder": FoldLadder,
    "survey": Survey,
    "asha": Asha,
    "stopping_asha": StoppingAsha,
    "lockstep": Lockstep,
    "full": Full,
}
