"""Listeners of a study's events, by name: a user's own are switched on in a space, under `search.listeners`.

A listener is a context manager that yields a function of one event (`studies.record.events`); it is given the study's folder and
the run, whose `state` has taken the event in. Its keyword-only arguments are its options.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any

import plugins
from launch.event_lines import event_lines
from plugins.registry import PluginError, Registry, checked_options
from schedulers.samplers.optuna_journal import journaled
from schedulers.samplers.warm_up import warmed_up
from schedulers.study_run import StudyRun
from search_spaces import SearchSpace, SpaceError
from studies.record.events import Event
from studies.study_folder import StudyFolder

logger = logging.getLogger(__name__)
Take = Callable[[Event], None]
Listener = Callable[..., AbstractContextManager[Take]]
LISTENERS: Registry[Listener] = plugins.LISTENERS
ALWAYS = ("optuna_journal", "sampler_warm_up")
LISTENERS.add("optuna_journal", journaled)
LISTENERS.add("sampler_warm_up", warmed_up)
LISTENERS.add("event_lines", event_lines)
LISTENERS.add("ray_metrics", "schedulers.ray.trial_metrics:measured")


def check_listeners(space: SearchSpace) -> None:
    """Check the listeners that a space switches on.

    Raises:
        SpaceError: there is no such listener, or it has no such option.
    """
    for name, options in space.search.listeners.items():
        try:
            checked_options(LISTENERS[name], options)
        except PluginError as error:
            raise SpaceError(space.name, f"search.listeners.{name}", str(error)) from None


@contextmanager
def listening(
    folder: StudyFolder, run: StudyRun, *, also: Mapping[str, dict[str, Any]] | None = None
) -> Iterator[None]:
    """Have a study's listeners hear of every event as long as the block runs, and those named beside with their options."""
    wanted = {**{name: {} for name in ALWAYS}, **(also or {}), **run.space.search.listeners}
    with ExitStack() as stack:
        for name, options in wanted.items():
            listener = LISTENERS[name]
            opened = listener(folder, run, **checked_options(listener, options))
            try:
                run.log.listen(_heard(name, opened.__enter__()))
            except Exception as error:
                _switched_off(name, error)
            else:
                stack.callback(_left, name, opened)
        yield


def _left(name: str, opened: AbstractContextManager[Take]) -> None:
    try:
        opened.__exit__(None, None, None)
    except Exception as error:
        _switched_off(name, error)


def _switched_off(name: str, error: Exception) -> None:
    logger.warning("listener %s is switched off: %s: %s", name, type(error).__name__, error)


def _heard(name: str, take: Take) -> Take:
    """Return a function of one event that is switched off at its first error: what looks on must never cost a search."""
    works = True

    def guarded(event: Event) -> None:
        nonlocal works
        if not works:
            return
        try:
            take(event)
        except Exception as error:
            works = False
            _switched_off(name, error)

    return guarded
