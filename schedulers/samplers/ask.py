"""Asking Optuna for a configuration: a fresh projection and a fresh sampler for every question, seeded by its number."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from optuna.trial import Trial

from schedulers.proposal import Proposal
from schedulers.samplers.projection import in_memory_study
from schedulers.samplers.registry import SAMPLERS, make_sampler, sampler_in_charge, whole_trial
from schedulers.samplers.transfer.known import Known
from schedulers.strategy import Strategy
from search_spaces import Choice, Parameter, SearchSpace
from search_spaces.portfolio import Portfolio
from studies.state.study_state import StudyState


@dataclass(frozen=True)
class Asker:
    """Asks a space's sampler; `portfolio` is what it may know of other data."""

    space: SearchSpace
    strategy: Strategy
    portfolio: Portfolio | None = None

    @cached_property
    def known(self) -> Known:
        """Return what the portfolio says of this space's configurations."""
        return Known(self.space, self.portfolio)

    def propose(self, study: StudyState, number: int, retry: int = 0) -> Proposal:
        """Return a proposal for trial `number`, given all that the study knows.

        `retry` asks the same question once more, for an answer that was tried before. A sampler that insists on it is no
        longer asked after its `tries` but its fallback, in the end chance; the origin says who answered.
        """
        name = sampler_in_charge(self.space.search.sampler, retry)
        derived = int(np.random.SeedSequence([self.space.search.seed, number, retry]).generate_state(1)[0])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if name == "qmc":
                return Proposal(_nth_of_sequence(self.space, number + retry), name)
            trials = SAMPLERS[name].projection(self.space, study, self.strategy)
            sampler = make_sampler(self.space, derived, trials, name, self.known)
            return Proposal(draw(self.space, in_memory_study(trials, sampler).ask()), name)


def ask(space: SearchSpace, study: StudyState, strategy: Strategy, number: int) -> dict[str, Any]:
    """Return the whole configuration that the space's sampler draws for trial `number`, with nothing known of other data."""
    return Asker(space, strategy).propose(study, number).configuration


def draw(space: SearchSpace, trial: Trial) -> dict[str, Any]:
    """Return the whole configuration that an Optuna trial suggests, conditions honoured."""
    drawn: dict[str, Any] = {}
    for name, parameter in space.in_order():
        if parameter.is_active(space.complete(drawn)):
            drawn[name] = suggest(trial, name, parameter)
    return space.complete(drawn)


def suggest(trial: Trial, name: str, parameter: Parameter) -> Any:
    """Return the value that an Optuna trial suggests for one parameter."""
    if isinstance(parameter, Choice):
        return trial.suggest_categorical(name, parameter.choice)
    if parameter.integer:
        step = int(parameter.step or 1)
        return trial.suggest_int(name, int(parameter.low), int(parameter.high), log=parameter.log, step=step)
    return trial.suggest_float(name, parameter.low, parameter.high, log=parameter.log, step=parameter.step)


def _nth_of_sequence(space: SearchSpace, number: int) -> dict[str, Any]:
    """Return the configuration at a place of the study's quasi-random sequence, by walking there."""
    mirror = in_memory_study([whole_trial(space)], make_sampler(space, space.search.seed, (), "qmc", Known(space)))
    for _ in range(number - 1):
        mirror.ask().relative_params  # noqa: B018  # drawn when looked at, and only then the sequence moves on
    return draw(space, mirror.ask())
