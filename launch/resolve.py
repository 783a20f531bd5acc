"""From what was typed to what is searched: the resolved space and its prepared data."""

import argparse
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.progress import Progress, TaskID

from datasets.preparation import PreparedData, prepare
from datasets.sources.opening import data_options, guess_source
from launch.continuing import continued
from launch.hardware import local_gpus
from launch.options import overrides
from search_spaces import SearchSpace, load_space
from search_spaces.portfolio import FOLDER, NONE, SHIPPED, find_portfolio, judged_on_such_nets, read_portfolio
from search_spaces.reading import profile_names, searched_constants
from studies.gpus import other_gpu
from studies.metrics import METRICS
from studies.study import Study
from trainables.config import baselines, configured, renamed, train_config

Say = Callable[[str], None]


def resolve_space(options: argparse.Namespace, study: Study | None, say: Say) -> SearchSpace:
    """Return the checked space, as the study goes on with it if one was begun."""
    profile, reason = _profile(options, study)
    if profile:
        say(f"Profile {profile}: {reason}.")
    stored = None if study is None else brought_up_to_date(study.space)
    space = load_space(
        options.space,
        knobs=train_config(),
        data_options=data_options(),
        metrics=METRICS,
        settled=None if stored is None else stored.defaults,
        profile=profile,
        data=guess_source(options.data) if options.data else None,
        overrides=overrides(options),
    )
    for name, value in searched_constants(options.space, profile, overrides(options)).items():
        say(f"{name} is searched: it is no constant any more (it was {value}, which the recipe keeps).")
    if stored is None:
        return with_shipped_portfolio(space)
    begun = continued(space, stored, overrides(options))
    if begun.search.sampler != space.search.sampler:
        say(
            f"Sampler {begun.search.sampler}, as the study began; --set search.sampler={space.search.sampler} changes it."
        )
    return begun


def with_shipped_portfolio(space: SearchSpace) -> SearchSpace:
    """Return the space of a new study with the shipped portfolio where it names none; not with other backbones than its own."""
    if space.search.portfolio is not None:
        return space
    shipped = read_portfolio(find_portfolio(SHIPPED, FOLDER))
    name = SHIPPED if judged_on_such_nets(shipped, space) else NONE
    return space.model_copy(update={"search": space.search.model_copy(update={"portfolio": name})})


def brought_up_to_date(stored: SearchSpace) -> SearchSpace:
    """Return the space of a study that an older version may have begun: what it lacks is as it was then."""
    with suppress(ValidationError):  # the data of a plugin's source, without that plugin
        data = data_options().validate_python(stored.data).model_dump(mode="json")
        stored = stored.model_copy(update={"data": data})
    return stored.model_copy(
        update={"defaults": {**baselines(), **renamed(stored.defaults)}, "constants": renamed(stored.constants)}
    )


def _profile(options: argparse.Namespace, study: Study | None) -> tuple[str | None, str]:
    """Return the profile and why it is this one."""
    if options.profile is not None:
        return options.profile, "as --profile says"
    if study is not None:
        return study.space.profile, "as the study began"
    gpus = local_gpus()
    hardware = "gpu" if gpus else "cpu"
    offered = hardware if hardware in profile_names(options.space) else None
    if gpus:
        return offered, f"{gpus} GPU{'s' if gpus > 1 else ''} found"
    other = other_gpu()
    return offered, f"no NVIDIA GPU found; {other}" if other else "no GPU found"


def effective(configuration: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of a configuration makes a difference."""
    return configured(configuration).effective()


def prepare_data(space: SearchSpace, console: Console, *, skip_unreadable: bool) -> PreparedData:
    """Return the data of a space, with a progress bar while images are drawn or decoded."""
    options = data_options().validate_python({**space.data, **({"skip_unreadable": True} if skip_unreadable else {})})
    with Progress(console=console, transient=True) as bars:
        rows: dict[str, TaskID] = {}

        def progress(label: str, done: int, total: int) -> None:
            if label not in rows:
                rows[label] = bars.add_task(label, total=total)
            bars.update(rows[label], completed=done)

        return prepare(options, space.task, space.search.folds, int(space.recipe()["image_size"]), progress)


def describe_splits(data: PreparedData) -> str:
    """Return how the data is split, in one sentence."""
    by_person = data.splits.split == "by_person"
    unit = "person" if by_person else "image (images of one person may stand on both sides)"
    aside = (
        f"{len(data.splits.holdout)} {unit.split()[0]}s set aside as holdout"
        if data.splits.holdout
        else "no holdout: the final score will be the one that was searched"
    )
    return f"{len(data.table.frame)} images, split by {unit} into {len(data.splits.folds)} folds; {aside}."
