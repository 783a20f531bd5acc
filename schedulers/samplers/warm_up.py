"""A Gaussian process imports torch at its first question; that is done before, beside training, so that no slot waits for it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import optuna
from optuna.samplers import GPSampler
from optuna.trial import create_trial

from schedulers.samplers.registry import SAMPLERS, STARTUP
from schedulers.study_run import StudyRun
from search_spaces import SearchSpace
from studies.record.events import EpochScored, Event
from studies.study_folder import StudyFolder

logger = logging.getLogger(__name__)


class WarmUp:
    """Listens for the first fold-epoch of a launch: by then every slot trains and the driver has time."""

    def __init__(self, space: SearchSpace) -> None:
        asked = space.search.trials > space.search.sampler_options.get("n_startup_trials", STARTUP)
        self._due = asked and SAMPLERS[space.search.sampler].sampler is GPSampler

    def take(self, event: Event) -> None:
        """Begin once, in the background."""
        if self._due and isinstance(event, EpochScored):
            self._due = False
            Thread(target=warm_up, name="sampler warm-up").start()


@contextmanager
def warmed_up(folder: StudyFolder, run: StudyRun) -> Iterator[Callable[[Event], None]]:
    """Yield what warms the run's sampler up at its first fold-epoch."""
    yield WarmUp(run.space).take


def warm_up() -> None:
    """Ask on made-up trials; what is wrong will be seen at the first real question."""
    try:
        ask_on_made_up_trials()
    except Exception as error:
        logger.info("the sampler was not warmed up: %s", error)


def ask_on_made_up_trials() -> float:
    """Ask a Gaussian process a question on two made-up trials, and return its answer."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    distribution = optuna.distributions.FloatDistribution(0.0, 1.0)
    study = optuna.create_study(sampler=GPSampler(seed=0, n_startup_trials=2))
    study.add_trials([create_trial(value=x, params={"x": x}, distributions={"x": distribution}) for x in (0.0, 1.0)])
    return float(study.ask({"x": distribution}).params["x"])
