"""The samplers by the name that `search.sampler` gives them: Optuna's, each with the projection it can learn from."""

import inspect
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import optuna
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    CmaEsSampler,
    GPSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import FrozenTrial, TrialState

import plugins
from plugins.names import name_hint
from plugins.registry import Registry
from schedulers.samplers.chance import ChanceSampler, WeightedTPESampler
from schedulers.samplers.projection import (
    Projection,
    by_depth,
    by_depth_of_active,
    by_rank,
    by_rank_of_active,
    nothing,
)
from schedulers.samplers.transfer.known import Known
from schedulers.samplers.transfer.sampler import TransferSampler
from search_spaces import ConditionalRanges, Range, SearchSpace, SpaceError

_BEST_OF = 10  # the Gaussian of CMA-ES is estimated from the best tenth
STARTUP = 8  # trials before a model is worth more than chance, unless the options say otherwise


@dataclass(frozen=True)
class SamplerKind:
    """One of Optuna's samplers: its class, what it is shown, and our defaults for its options."""

    sampler: type[BaseSampler]
    projection: Projection
    defaults: Mapping[str, Any]
    options: tuple[str, ...]
    tries: int = 6  # questions, before the fallback is asked: an answer that was tried before is no use
    fallback: str | None = None  # the sampler asked then; None: it is asked for ever
    sees_conditions: bool = False  # it is shown, and draws, the active parameters alone (see `dimensions`)

    @property
    def learns(self) -> bool:
        """Tell whether what it draws depends on what was tried."""
        return self.projection is not nothing and self.sampler is not BruteForceSampler


SAMPLERS: Registry[SamplerKind] = plugins.SAMPLERS
_BUILT_IN = {
    "tpe": SamplerKind(
        TPESampler,
        by_depth,
        {"n_startup_trials": STARTUP, "multivariate": True, "group": True, "constant_liar": True},
        ("n_startup_trials", "n_ei_candidates", "multivariate", "group", "constant_liar", "prior_weight"),
        fallback="random",
    ),
    "gp": SamplerKind(
        GPSampler,
        by_rank,
        {"n_startup_trials": STARTUP, "warn_independent_sampling": False},
        ("n_startup_trials", "deterministic_objective"),
        tries=1,  # sure of its optimum, it gives the same answer again, whatever the seed
        fallback="tpe",
    ),
    "transfer_gp": SamplerKind(
        TransferSampler,
        by_rank_of_active,
        {"n_startup_trials": STARTUP},
        ("n_startup_trials", "trust"),
        fallback="random",
        sees_conditions=True,
    ),
    "cmaes": SamplerKind(
        CmaEsSampler,
        by_rank,
        {"n_startup_trials": STARTUP, "warn_independent_sampling": False},
        ("n_startup_trials", "with_margin", "lr_adapt", "popsize"),
        fallback="tpe",
    ),
    "qmc": SamplerKind(
        QMCSampler,
        nothing,
        {"scramble": True, "warn_independent_sampling": False},
        ("qmc_type", "scramble"),
        fallback="random",
    ),
    "random": SamplerKind(RandomSampler, nothing, {}, ()),
    "grid": SamplerKind(BruteForceSampler, by_depth_of_active, {}, ("avoid_premature_stop",), sees_conditions=True),
}
for _name, _kind in _BUILT_IN.items():
    SAMPLERS.add(_name, _kind)


def check_sampler(space: SearchSpace) -> None:
    """Check that the sampler knows its options, and a grid its points.

    Raises:
        SpaceError: there is no such sampler, or it cannot do that; names the option or the parameter and the way out.
    """
    search = space.search
    if search.sampler not in SAMPLERS:
        raise SpaceError(space.name, "search.sampler", SAMPLERS.unknown(search.sampler))
    kind = SAMPLERS[search.sampler]
    known = inspect.signature(kind.sampler.__init__).parameters
    for name, value in search.sampler_options.items():
        if name not in kind.options:
            raise SpaceError(
                space.name,
                f"search.sampler_options.{name}",
                f"{search.sampler} has no such option; {name_hint(name, kind.options)}",
            )
        usual = kind.defaults.get(name, known[name].default)
        if not _like(value, usual):
            raise SpaceError(space.name, f"search.sampler_options.{name}", f"must be like {usual!r} (got {value!r})")
    try:
        make_sampler(space, 0, (), search.sampler, Known(space))
    except ValueError as error:
        raise SpaceError(space.name, "search.sampler_options", str(error)) from None
    for name, parameter in space.parameters.items() if search.sampler == "grid" else ():
        ranges = parameter.ranges if isinstance(parameter, ConditionalRanges) else [parameter]
        if any(isinstance(one, Range) and not one.integer and one.step is None for one in ranges):
            raise SpaceError(space.name, f"parameters.{name}", "a grid needs points; add a step, or list a choice")


def _like(value: Any, usual: Any) -> bool:
    """Tell whether a value may stand where `usual` is usual; a whole number may for any number."""
    if isinstance(value, bool) or isinstance(usual, bool):
        return isinstance(value, bool) and isinstance(usual, bool)
    if isinstance(usual, float):
        return isinstance(value, int | float) and isfinite(value)
    return isinstance(value, int if usual is None else type(usual))


def sampler_in_charge(name: str, retry: int) -> str:
    """Return which sampler answers a question that is asked for the time `retry`, counted from 0."""
    kind = SAMPLERS[name]
    if kind.fallback is None or retry < kind.tries:
        return name
    return sampler_in_charge(kind.fallback, retry - kind.tries)


def make_sampler(space: SearchSpace, seed: int, trials: Sequence[FrozenTrial], name: str, known: Known) -> BaseSampler:
    """Return the sampler of this name for one question on these projected trials, with the space's options if it is its own."""
    kind = SAMPLERS[name]
    options = {**kind.defaults, **(space.search.sampler_options if name == space.search.sampler else {})}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if issubclass(kind.sampler, TransferSampler):
        return kind.sampler(space, known, seed=seed, **options)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # experimental arguments: the pinned version is the one that was tried
        if kind.sampler is RandomSampler:
            return ChanceSampler(space, seed)
        if kind.sampler is TPESampler:
            return WeightedTPESampler(space, seed, **options)
        if kind.sampler is CmaEsSampler and len(_numeric(trials)) >= _BEST_OF:
            # no optimizer is kept between questions: its Gaussian is estimated anew from the best of the record
            # (Nomura et al., "Warm Starting CMA-ES for Hyperparameter Optimization", AAAI 2021)
            options["source_trials"] = _numeric(trials)
        if kind.sampler is CmaEsSampler:  # what its Gaussian cannot hold (choices) is learned, too
            startup = options["n_startup_trials"]
            options["independent_sampler"] = WeightedTPESampler(space, seed, n_startup_trials=startup)
        if kind.sampler is GPSampler:
            options["independent_sampler"] = ChanceSampler(space, seed)
        return kind.sampler(seed=seed, **options)


def _numeric(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """Return the complete trials less their categorical parameters, as a Gaussian needs them."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    everywhere = set.intersection(*(set(trial.params) for trial in complete)) if complete else set()
    kept = {
        name
        for name in everywhere
        if not isinstance(complete[0].distributions[name], optuna.distributions.CategoricalDistribution)
    }
    return [
        optuna.trial.create_trial(
            value=trial.value,
            params={name: trial.params[name] for name in kept},
            distributions={name: trial.distributions[name] for name in kept},
        )
        for trial in (complete if kept else ())
    ]
