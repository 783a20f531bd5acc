"""Idle actors wait for their next climb: left to itself, Tune ends all but one of them.

Two climbs that end together would cost a process with all its imports. Written against Ray 2.60, whose cache of actors
has no setting for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ray.tune.execution import tune_controller
from ray.tune.utils.object_cache import _ObjectCache


class KeepsAll(_ObjectCache):
    """A cache of actors that lets none go before the search ends."""

    def cache_object(self, key: Any, obj: Any) -> bool:
        """Keep an actor, whatever Tune expects to come."""
        self._cached_objects[key].append(obj)
        self._num_cached_objects += 1
        return True

    def flush_cached_objects(self, force_all: bool = False) -> Iterator[Any]:
        """Yield the actors to end: all of them at the end of the search, before it none."""
        yield from super().flush_cached_objects(force_all=True) if force_all else ()


@contextmanager
def idle_actors_kept() -> Iterator[None]:
    """Have every search that runs in the block keep its idle actors."""
    usual = tune_controller._ObjectCache
    tune_controller._ObjectCache = KeepsAll
    try:
        yield
    finally:
        tune_controller._ObjectCache = usual
