"""The search space: one checked, frozen model of a space file."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from search_spaces.conditional_ranges import ConditionalRanges, Parameter
from search_spaces.durations import Duration
from search_spaces.errors import SpaceError, explain
from search_spaces.parameters import Choice, Range
from search_spaces.rates import Rate
from search_spaces.sizes import Size


class SearchSettings(BaseModel):
    """How to search: budgets, ladder and sampler. No part of a study's identity but `folds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sampler: str = "gp"  # one of `schedulers.samplers.registry`
    sampler_options: dict[str, Any] = {}  # Optuna's, such as {n_startup_trials: 20}
    scheduler: str = "fold_ladder"  # a strategy of `schedulers.strategies`
    scheduler_options: dict[str, Any] = {}  # settings that a strategy of a plugin brings
    trials: int = Field(16, ge=1, le=100_000)
    folds: int = Field(5, ge=2, le=20)
    finalists: int = Field(3, ge=1)
    # Of some strategies each; None: the strategy's own.
    grace_period: int | None = Field(None, ge=1)  # epochs before a trial is first compared; 1
    looks: int | None = Field(None, ge=1)  # of fold_ladder: comparisons inside the first fold; 3, or 2 with knowledge
    keep: float | None = Field(None, gt=0, lt=1)  # of fold_ladder: share that goes on from a look; 0.5, or 0.25 there
    reduction_factor: int | None = Field(None, ge=2)  # of the asha family: one in so many goes on; 3
    race: Literal["none", "worst_fold"] | None = None  # when a finalist leaves before its last fold; worst_fold
    time_budget: Duration | None = None
    fold_epochs: int | None = Field(None, ge=1)
    target_score: float | None = Field(None, allow_inf_nan=False)  # in the metric's own range
    worth: Rate | None = None  # score an hour of the device; a trial that is expected to gain less does not begin
    disk_budget: Size | None = None
    portfolio: str | None = (
        None  # none, shipped, or a file of configurations that come first; None: see `launch.resolve.as_begun`
    )
    listeners: dict[str, dict[str, Any]] = {}  # by name, with their options; see `launch.listeners`
    seed: int = Field(0, ge=0)


class SearchSpace(BaseModel):
    """What may vary, what is fixed and how to judge it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    profile: str | None
    task: str
    data: dict[str, Any]
    plugins: tuple[str, ...] = ()  # modules of the user's that register what this space names
    metric: str  # one of `studies.metrics`
    parameters: dict[str, Parameter]
    constants: dict[str, Any]
    defaults: dict[str, Any]  # the known good recipe: every knob at its best known value
    search: SearchSettings
    sized_by_data: tuple[str, ...] = ()  # knobs that said auto: their values follow from the number of pictures
    sized: bool = False  # whether they have

    @model_validator(mode="after")
    def _check_budget(self) -> "SearchSpace":
        if "epochs" in self.sized_by_data and not self.sized:
            return self  # how many there will be is not known yet
        if self.search.finalists > self.search.trials:
            raise ValueError(
                f"search.finalists is {self.search.finalists} but search.trials only {self.search.trials};"
                " lower finalists or raise trials"
            )
        epochs = int(self.complete({}).get("epochs", 1))
        if (self.search.grace_period or 1) > epochs:
            raise ValueError(
                f"search.grace_period is {self.search.grace_period} but constants.epochs only {epochs};"
                " lower grace_period or raise epochs"
            )
        least = epochs * self.search.folds * min(2, self.search.trials)
        if self.search.fold_epochs is not None and self.search.fold_epochs < least:
            raise ValueError(
                f"search.fold_epochs is {self.search.fold_epochs} but the recipe and one finalist on all folds take {least};"
                " raise fold_epochs, or lower constants.epochs or search.folds"
            )
        return self

    def with_sizes(self, sizes: Mapping[str, int]) -> "SearchSpace":
        """Return the space with numbers for the knobs that said auto; a parameter's default is the nearest that it can have.

        Raises:
            SpaceError: under these numbers the budget does not fit.
        """
        update: dict[str, Any] = {"constants": dict(self.constants), "defaults": dict(self.defaults)}
        parameters = dict(self.parameters)
        for name in self.sized_by_data:
            if (parameter := parameters.get(name)) is not None:
                assert not isinstance(parameter, ConditionalRanges), "of several ranges none says auto"
                nearest = parameter.nearest(sizes[name])
                parameters[name] = parameter.model_copy(update={"default": nearest})
                update["defaults"][name] = nearest
            else:
                update["constants"][name] = sizes[name]
        try:
            return SearchSpace.model_validate({**dict(self), **update, "parameters": parameters, "sized": True})
        except ValidationError as error:
            raise SpaceError(self.name, *explain(error)) from None

    def in_order(self) -> list[tuple[str, Parameter]]:
        """Return the parameters so that a condition's parameters come before it."""
        ordered: dict[str, Parameter] = {}
        waiting = dict(self.parameters)
        while waiting:
            ready = [name for name, parameter in waiting.items() if not waiting.keys() & parameter.depends_on]
            assert ready, "load_space refuses circular conditions"
            ordered |= {name: waiting.pop(name) for name in ready}
        return list(ordered.items())

    def complete(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Return the whole configuration: recipe, then constants, then what was drawn.

        An option of another knob, which has a dot in its name, is left out where its condition does not hold. Of several ranges
        another than the recipe's has its own default, and else the recipe's value where that lies inside.
        """
        recipe = {**self.defaults, **self.constants}
        whole = {**recipe, **drawn}
        for name in self._switched:
            active = self.parameters[name].active_in(whole)
            if name in drawn or active is None or active == self.parameters[name].active_in(recipe):
                continue
            if active.default is not None or not active.contains(whole.get(name)):
                whole[name] = active.usual
        options = [name for name in whole if "." in name and name in self.parameters and name not in drawn]
        return {name: value for name, value in whole.items() if name not in options or self._holds(name, whole)}

    @property
    def _switched(self) -> list[str]:
        return [name for name, parameter in self.parameters.items() if isinstance(parameter, ConditionalRanges)]

    def _holds(self, name: str, configuration: Mapping[str, Any]) -> bool:
        return self.parameters[name].is_active(configuration)

    def recipe(self) -> dict[str, Any]:
        """Return the known good recipe as a whole configuration."""
        return self.complete({})

    def active(self, configuration: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters of a configuration whose conditions hold: what a sampler may learn from."""
        return {name: configuration[name] for name in self.drawn_from(configuration)}

    def contains(self, configuration: Mapping[str, Any]) -> bool:
        """Tell whether every active parameter has a value that this space could have drawn."""
        return all(active.contains(configuration[name]) for name, active in self.drawn_from(configuration).items())

    def drawn_from(self, configuration: Mapping[str, Any]) -> dict[str, Range | Choice]:
        """Return for every parameter that a configuration has and whose condition holds what it is drawn from there."""
        return {
            name: active
            for name, parameter in self.in_order()
            if name in configuration and (active := parameter.active_in(configuration)) is not None
        }
