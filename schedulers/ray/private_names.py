"""Everything that we use of Ray beside its public interface, in one place, with a check that it is there.

Written against Ray 2.60, which has no setting for either of these:

- Tune is to keep its actors: each is a process with seconds of imports, and a climb may take less. Left to itself, Tune ends
  every idle actor but one, so that two climbs that end together cost a process; and it ends an actor that is still starting
  as soon as another one is free, so that with short climbs the second slot would never come to work.
- A trial's process is to have a title that says what it does: the dashboard lists titles, and Ray writes its own over those of
  other libraries.
- The record says which process took a climb: a trial knows it, and only its address is public.
- A cluster's token is to be found for any address: Ray looks for it by itself for the address `auto` alone.
- A browser is to be given that token as the cookie that the dashboard reads.
- The driver is to see that a server of Ray has died: it would wait for it in silence.
- A cluster that asks nobody for a token is not to be joined unnoticed: its head is asked by Ray's own protocol.
- A Ray of this machine is to listen on loopback alone: Ray has that for systems where it forms no clusters.
"""

import inspect
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ray
from ray.tune.experiment import Trial

try:
    from ray import _raylet
    from ray._private import ray_constants, services, worker
    from ray._private.authentication import authentication_constants, authentication_token_setup
    from ray._raylet import AuthenticationTokenLoader  # type: ignore[attr-defined]
    from ray.tune import tune
    from ray.tune.execution.tune_controller import TuneController
    from ray.tune.utils.object_cache import _ObjectCache
except ImportError as error:  # another version of Ray: reported by `check_private_names`, before anything is used
    TuneController = _ObjectCache = AuthenticationTokenLoader = object
    MISSING: str | None = str(error)
else:
    MISSING = None

_ATTRIBUTES = ("_actor_cache", "_trial_to_actor", "_resetting_trials")  # of a controller
_SERVERS = ("raylet", "gcs_server")  # without which no trial goes on
_CACHE_ATTRIBUTES = ("_cached_objects", "_num_cached_objects")


QUESTION = "/ray.rpc.NodeInfoGcsService/CheckAlive"  # what a cluster's head is asked, to see whether it wants a token


class ClusterError(ValueError):
    """A Ray cluster, or a version of Ray, that cannot be worked with; the message names the way out."""


def check_private_names() -> None:
    """Check that this version of Ray has all that is used here.

    Raises:
        ClusterError: it lacks something; names it.
    """
    if lacking := MISSING or next(_lacking(), None):
        raise ClusterError(
            f"Ray {ray.__version__} is not the version that Foldrace was written for ({lacking}); install the one that"
            " requirements.txt names"
        )


def _lacking() -> Iterator[str]:
    """Yield what this version of Ray lacks."""
    of_module = [
        (tune, "TuneController"),
        (worker, "_global_node"),
        (services, "canonicalize_bootstrap_address"),
        (ray_constants, "ENABLE_RAY_CLUSTER"),
        (ray_constants, "ENABLE_RAY_CLUSTERS_ENV_VAR"),
        (_raylet, "setproctitle"),
        (TuneController, "_maybe_reuse_cached_actor"),
        (TuneController, "_maybe_cache_trial_actor"),
        (_ObjectCache, "cache_object"),
        (_ObjectCache, "flush_cached_objects"),
        (AuthenticationTokenLoader, "get_raw_token"),
        (authentication_constants, "AUTHENTICATION_TOKEN_COOKIE_NAME"),
        (authentication_token_setup, "generate_and_save_token"),
        (authentication_token_setup, "maybe_enable_token_auth_if_token_available"),
    ]
    yield from (f"no {owner.__name__}.{name}" for owner, name in of_module if not hasattr(owner, name))
    if "location" not in inspect.getsource(Trial.get_ray_actor_ip):
        yield "no location of a Trial"
    for owner, names in ((TuneController, _ATTRIBUTES), (_ObjectCache, _CACHE_ATTRIBUTES)):
        made = inspect.getsource(owner.__init__)
        yield from (f"no {owner.__name__}.{name}" for name in names if name not in made)


def set_title(title: str) -> None:
    """Set the title of this process."""
    _raylet.setproctitle(title)  # type: ignore[attr-defined]


def place_of(trial: Trial) -> tuple[str, int]:
    """Return the address of the node and the number of the process that take a Tune trial.

    Raises:
        RayActorError: the process is gone.
    """
    node = trial.get_ray_actor_ip() or ""
    return node, int(trial.temporary_state.location.pid or 0)


def take_token() -> None:
    """Use the cluster token of this machine where there is one."""
    logger = logging.getLogger(authentication_token_setup.__name__)
    before, logger.disabled = logger.disabled, True  # it would warn that it did what it was asked to
    try:
        authentication_token_setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
    finally:
        logger.disabled = before


def head_of(address: str) -> str | None:
    """Return the host and the port of a cluster's head; None where an address is of another kind, or no cluster is found."""
    try:
        head = services.canonicalize_bootstrap_address(address)
    except (ValueError, OSError):
        return None
    return None if head is None else str(head)


def make_token() -> None:
    """Make this user's token where there is none, closed to others from its first byte: Ray itself leaves it open for a while."""
    if {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & os.environ.keys() or (Path.home() / ".ray/auth_token").exists():
        return
    before = os.umask(0o077)
    try:
        authentication_token_setup.generate_and_save_token()
    finally:
        os.umask(before)


def dead_server() -> str | None:
    """Return the name of a server that this process started with Ray and that has ended, None while all live."""
    node = worker._global_node
    if node is None:
        return None
    for name, started in node.all_processes.items():
        if name in _SERVERS and any(one.process.poll() is not None for one in started):
            return str(name)
    return None


def stay_on_loopback() -> None:
    """Have the Ray that this process starts, and all its processes, listen on loopback alone."""
    os.environ[ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR] = "0"
    ray_constants.ENABLE_RAY_CLUSTER = False  # read when Ray was imported


def token_cookie() -> str:
    """Return the name of the cookie in which the dashboard looks for the token."""
    return str(authentication_constants.AUTHENTICATION_TOKEN_COOKIE_NAME)


def cluster_token() -> str | None:
    """Return the token that this process shows to its cluster, None where none is asked for."""
    loader = AuthenticationTokenLoader.instance()
    return str(loader.get_raw_token()) if loader.has_token() else None


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

    keeps: Callable[[str], bool] = staticmethod(lambda trial_id: True)

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._actor_cache = KeptActors()

    def _maybe_cache_trial_actor(self, trial: Trial) -> bool:
        """Keep the actor of a climb that has ended, unless it is of no use any more: its process ends then."""
        return self.keeps(trial.trial_id) and bool(super()._maybe_cache_trial_actor(trial))

    def _maybe_reuse_cached_actor(self, trial: Trial) -> bool:
        """Give a climb an idle actor, unless one is starting for it: that one is waited for."""
        if trial in self._trial_to_actor and trial not in self._resetting_trials:
            return False
        return bool(super()._maybe_reuse_cached_actor(trial))


@contextmanager
def actors_kept(keeps: Callable[[str], bool] = lambda trial_id: True) -> Iterator[None]:
    """Have searches in this block run under a `ClimbController`; `keeps` says whose actor may have another climb."""
    usual = tune.TuneController
    tune.TuneController = type("Controller", (ClimbController,), {"keeps": staticmethod(keeps)})
    try:
        yield
    finally:
        tune.TuneController = usual
