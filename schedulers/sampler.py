"""The sampler: Optuna asked on a projection of the record.

A trial that was told to Optuna can never be promoted again, so no Optuna study is kept. A fresh one is
built in memory for every question (0.4 s at 1,000 trials), in which every trial stands where it has
earned to stand, and is asked once with a sampler seeded by (study seed, trial number).
"""

import warnings
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState, create_trial

from schedulers.ladder import Ladder, earned_rungs
from schedulers.study_state import StudyState
from schedulers.study_state import TrialState as OurTrial
from search_spaces import Choice, Parameter, SearchSpace


def ask(space: SearchSpace, study: StudyState, ladder: Ladder, number: int) -> dict[str, Any]:
    """Return the whole configuration of trial `number`, given all that the study knows."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    mirror = project(space, study, ladder, _make_sampler(space.search.sampler, space.search.seed, number))
    return draw(space, mirror.ask())


def project(space: SearchSpace, study: StudyState, ladder: Ladder, sampler: BaseSampler) -> optuna.Study:
    """Return an in-memory Optuna study of the trials that this space could have drawn."""
    mirror = optuna.create_study(direction="maximize", sampler=sampler)
    inside = [trial for trial in study.trials.values() if space.contains(trial.configuration)]
    earned = earned_rungs(study, ladder)
    mirror.add_trials([frozen(trial, space, earned[trial.number], ladder.top) for trial in inside])
    return mirror


def frozen(trial: OurTrial, space: SearchSpace, rung: int, top: int) -> FrozenTrial:
    """Return one trial as Optuna should see it: complete, pruned at its earned rung, running, or infeasible."""
    active = space.active(trial.configuration)
    distributions = {name: distribution(space.parameters[name]) for name in active}
    if trial.failure is not None:
        return create_trial(
            state=TrialState.PRUNED, params=active, distributions=distributions, constraints={"failed": 1.0}
        )
    if rung == 0:
        return create_trial(state=TrialState.RUNNING, params=active, distributions=distributions)
    score = trial.score_at(rung)
    state = TrialState.COMPLETE if rung == top else TrialState.PRUNED
    return create_trial(
        state=state, value=score, params=active, distributions=distributions, intermediate_values={rung: score or 0.0}
    )


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


def distribution(parameter: Parameter) -> BaseDistribution:
    """Return the parameter in Optuna's terms."""
    if isinstance(parameter, Choice):
        return CategoricalDistribution(parameter.choice)
    if parameter.integer:
        step = int(parameter.step or 1)
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log, step=step)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log, step=parameter.step)


def _make_sampler(name: str, seed: int, number: int) -> BaseSampler:
    derived = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    if name == "random":
        return RandomSampler(seed=derived)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)  # of `group`, which conditions need
    return TPESampler(seed=derived, n_startup_trials=8, multivariate=True, group=True, constant_liar=True)
