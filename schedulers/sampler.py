"""Asking Optuna for a configuration: a fresh projection and a fresh sampler for every question, seeded by its number."""

import warnings
from typing import Any

import numpy as np
from optuna.samplers import RandomSampler
from optuna.trial import Trial

from schedulers.ladder import Ladder
from schedulers.projection import mirror_of
from schedulers.samplers import SAMPLERS, make_sampler, whole_trial
from schedulers.study_state import StudyState
from search_spaces import Choice, Parameter, SearchSpace


def ask(space: SearchSpace, study: StudyState, ladder: Ladder, number: int, retry: int = 0) -> dict[str, Any]:
    """Return the whole configuration of trial `number`, given all that the study knows.

    `retry` asks the same question once more, for an answer that was tried before; a sampler that insists on it is
    no longer asked after its `tries`, then chance decides.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        derived = int(np.random.SeedSequence([space.search.seed, number, retry]).generate_state(1)[0])
        if retry >= SAMPLERS[space.search.sampler].tries and space.search.sampler != "grid":
            return draw(space, mirror_of([], RandomSampler(seed=derived)).ask())
        if space.search.sampler == "qmc":
            return _nth_of_sequence(space, number + retry)
        trials = SAMPLERS[space.search.sampler].projection(space, study, ladder)
        return draw(space, mirror_of(trials, make_sampler(space, derived, trials)).ask())


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
    mirror = mirror_of([whole_trial(space)], make_sampler(space, space.search.seed, ()))
    for _ in range(number - 1):
        mirror.ask().relative_params  # noqa: B018  # drawn when looked at, and only then the sequence moves on
    return draw(space, mirror.ask())
