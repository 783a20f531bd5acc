"""Tune's controller, made to keep its actors: each is a process with seconds of imports, and a climb may take less.

Left to itself, Tune ends every idle actor but one, so that two climbs that end together cost a process; and it ends an actor
that is still starting as soon as another one is free, so that with short climbs the second slot would never come to work.
Written against Ray 2.60, which has no setting for either.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.tune import tune
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.utils.object_cache import _ObjectCache


class KeptActors(_ObjectCache):
    """A cache of idle actors that lets none go before the search ends."""

    def cache_object(self, key: Any, obj: Any) -> bool:
        """Keep an actor, whatever Tune expects to come."""
        self._cached_objects[key].append(obj)
        self._num_cached_objects += 1
        return True

    def flush_cached_objects(self, force_all: bool = False) -> Iterator[Any]:
        """Yield the actors to end: all of them at the end of the search, before it none."""
        yield from super().flush_cached_objects(force_all=True) if force_all else ()


class ClimbController(TuneController):
    """A controller under which there are as many actors as slots, from the first climb to the last."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._actor_cache = KeptActors()

    def _maybe_reuse_cached_actor(self, trial: Trial) -> bool:
        """Give a climb an idle actor, unless one is starting for it: that one is waited for."""
        if trial in self._trial_to_actor and trial not in self._resetting_trials:
            return False
        return bool(super()._maybe_reuse_cached_actor(trial))


@contextmanager
def actors_kept() -> Iterator[None]:
    """Have searches in this block run under a `ClimbController`."""
    usual = tune.TuneController
    tune.TuneController = ClimbController
    try:
        yield
    finally:
        tune.TuneController = usual
