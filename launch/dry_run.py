"""What `--dry-run` prints: everything a search would do, before it does any of it."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml
from rich.console import Console
from rich.table import Table

from analysis.reading.words import spell_parameters
from command_line.console import say
from launch.hardware import local_gpus
from launch.launch import Launch
from launch.options import AUTO
from schedulers.budget_settings import make_budget
from schedulers.samplers.ask import ask
from schedulers.search_settings import make_strategy
from schedulers.spending.budget import Budget
from schedulers.spending.forecast import expected_fold_epochs
from schedulers.strategy import Strategy
from search_spaces import SearchSpace
from search_spaces.durations import spell_duration
from studies.metrics import METRICS
from studies.state.study_state import StudyState

_SAMPLES = 10


@dataclass(frozen=True)
class FoldCounts:
    """Persons, and images by class, of a fold or of the holdout."""

    name: str
    persons: int
    images_by_class: Mapping[str, int]


def show_plan(console: Console, launch: Launch) -> int:
    """Print what a search would do, and return the exit code."""
    space, data, cpus = launch.space, launch.data, launch.options.cpus_per_trial
    cpus = 1 if cpus in (None, AUTO) else cpus  # a search measures what auto is when it begins
    budget, strategy = make_budget(space), make_strategy(space)
    places = [FoldCounts(name, persons, by_class) for name, (persons, by_class) in data.counts().items()]
    for note in launch.preflight.check():
        say(note, to=console)
    images_per_second = launch.preflight.images_per_second()
    print_preview(console, space, strategy, places)
    images = round(len(data.samples()) * (1 - 1 / strategy.folds))
    together = 1 if launch.options.trials_per_gpu == AUTO else launch.options.trials_per_gpu
    slots = local_gpus() * together or max(1, (os.cpu_count() or 1) // cpus)
    print_cost(console, strategy, budget, images / images_per_second, slots)
    return 0


def print_preview(console: Console, space: SearchSpace, strategy: Strategy, places: Sequence[FoldCounts]) -> None:
    """Print the resolved space, ten sampled configurations and the folds."""
    shown = space.model_dump(mode="json", exclude={"name", "profile", "defaults"}, exclude_none=True)
    spelled = {
        name: parameter.model_dump(mode="json", exclude_defaults=True) for name, parameter in space.parameters.items()
    }
    say(
        yaml.safe_dump({**shown, "parameters": spelled}, sort_keys=False, default_flow_style=None, width=110),
        to=console,
    )
    say(f"Ten configurations that {space.search.sampler} may draw; trial 0 is the recipe:", to=console)
    say(f"  0: {spell_parameters(space.active(space.recipe()))}", to=console)
    for number in range(1, _SAMPLES + 1 if space.parameters else 1):
        drawn = ask(space, StudyState(), strategy, number)
        say(f"  {number}: {spell_parameters(space.active(drawn))}", to=console)
    console.print(_fold_table(places))
    metric = METRICS[space.metric]
    low, high = metric.range
    better = "more" if metric.maximised else "less"
    say(
        f"Judged by {metric.title} of pooled out-of-fold predictions, from {low:g} to {high:g}, {better} is better; a class"
        f" that the folds so far lack {metric.absent}.",
        to=console,
    )
    rungs = ", ".join(str(strategy.rungs.cost(rung)) for rung in strategy.rungs.levels)
    say(f"Rungs, in fold-epochs: {rungs}. A finalist trains all {strategy.rungs.whole}.", to=console)


def print_cost(console: Console, strategy: Strategy, budget: Budget, seconds_per_fold_epoch: float, slots: int) -> None:
    """Print the fold-epochs that are expected and, at a speed just measured, their time."""
    fold_epochs = expected_fold_epochs(strategy, budget)
    seconds = fold_epochs * seconds_per_fold_epoch / slots
    measured_on = "the GPU" if local_gpus() else "one CPU thread"
    limit = f", cut at the time budget of {spell_duration(budget.seconds)}" if budget.seconds else ""
    say(
        f"Expected: {fold_epochs} fold-epochs for {budget.trials} trials, about {spell_duration(seconds)} on {slots} slots"
        f" ({seconds_per_fold_epoch:.1f} s of training steps each, just measured on {measured_on}){limit}.",
        to=console,
    )


def _fold_table(places: Sequence[FoldCounts]) -> Table:
    table = Table("", "persons", *places[0].images_by_class, title="Images by class", title_justify="left")
    for place in places:
        table.add_row(place.name, str(place.persons), *(str(count) for count in place.images_by_class.values()))
    return table
