"""Configurations that come before the sampler's: a list of the user's own, the best of another study, and a portfolio."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from analysis.portfolio.studies import Judged, best_of, read_judged
from launch.resolve import effective
from plugins.names import name_hint
from schedulers.proposal import ENQUEUED, PORTFOLIO, Proposal
from schedulers.samplers.transfer.known import Known
from search_spaces import SearchSpace
from search_spaces.errors import SpaceError, explain
from search_spaces.portfolio import (
    NONE,
    Entry,
    Portfolio,
    find_portfolio,
    fitting_first,
    judged_on_such_nets,
    notes,
    read_portfolio,
    within,
)
from storage.regular import OddFile, read_text
from storage.safe_yaml import load_yaml
from studies.errors import StudyError
from studies.study import Study
from studies.study_folder import StudyFolder
from trainables.config import configured, renamed, train_config

WARM_SHARE = 4  # one in so many trials may come from another study; the rest is for what is new
PORTFOLIO_SHARE = 2  # one in so many from a portfolio


@dataclass(frozen=True)
class Beginning:
    """What is known before a study begins: configurations to try first, what others were worth, and lines that say so."""

    queue: tuple[Proposal, ...] = ()
    portfolio: Portfolio | None = None
    notes: tuple[str, ...] = ()
    kept: Portfolio | None = None  # what a new study keeps, to go on with: the portfolio that the space names
    informed: bool = False  # whether that portfolio says what to expect of this space's configurations

    def before(self, other: "Beginning") -> "Beginning":
        """Return this and then another: both queues, and the evidence of both."""
        known = [one.portfolio for one in (self, other) if one.portfolio is not None]
        entries = tuple(entry for portfolio in known for entry in portfolio.configurations)
        both = known[0].model_copy(update={"configurations": entries}) if known else None
        return Beginning(
            self.queue + other.queue,
            both,
            self.notes + other.notes,
            self.kept or other.kept,
            self.informed or other.informed,
        )


def warm_start(folder: StudyFolder, space: SearchSpace, classes: list[str]) -> Beginning:
    """Return the best configurations of another study in this space's terms.

    Raises:
        StudyError: there is no such study, it has no scores, or it is of the same task with other classes.
    """
    judged = warm_source(folder)
    there = list(judged.classes)
    if judged.space.task == space.task and there != classes:
        raise StudyError(
            f"--warm-start {folder.name}: its task {space.task} has other classes ({', '.join(there)}) than this study's"
            f" ({', '.join(classes)}); start from a study of the same classes, or of another task"
        )
    portfolio = best_of(judged, max(1, space.search.trials // WARM_SHARE))
    return _beginning(portfolio, space, f"Warm start, {folder.name} ({judged.space.task})", folder.name)


def warm_source(folder: StudyFolder) -> Judged:
    """Return the study of a warm start.

    Raises:
        StudyError: there is no such study, or it has no scores.
    """
    if not folder.exists():
        raise StudyError(f"--warm-start {folder.name}: {folder.path} holds no study; name one of {folder.path.parent}")
    return read_judged(folder)


def from_portfolio(space: SearchSpace, near: Path, study: Study | None) -> Beginning:
    """Return what a study begins with; one that was begun with the portfolio that the space names goes on with its copy.

    `near` is the folder that a path is relative to.

    Raises:
        SpaceError: the file is missing or no portfolio.
    """
    whole = named_portfolio(space, near, study)
    if whole is None:
        return Beginning()
    first = min(whole.first, max(1, space.search.trials // PORTFOLIO_SHARE))
    begun = _beginning(
        whole.model_copy(update={"first": first}), space, f"Portfolio {space.search.portfolio}", PORTFOLIO
    )
    informed = bool(Known(space, begun.portfolio)) and judged_on_such_nets(whole, space)
    return replace(begun, kept=whole, informed=informed)


def named_portfolio(space: SearchSpace, near: Path, study: Study | None) -> Portfolio | None:
    """Return the portfolio that a space names, None if it names none.

    Raises:
        SpaceError: the file is missing or no portfolio.
    """
    name = space.search.portfolio
    if name is None or name == NONE:
        return None
    if study is None or study.space.search.portfolio != name or not study.folder.portfolio.is_file():
        return read_portfolio(find_portfolio(name, near))
    try:
        return read_portfolio(study.folder.portfolio)
    except SpaceError as error:
        raise StudyError(
            f"{error}; it is the study's copy: restore it, or name another with --set search.portfolio=none|FILE"
        ) from None


def _beginning(portfolio: Portfolio, space: SearchSpace, named: str, origin: str) -> Beginning:
    today = [one.model_copy(update={"configuration": renamed(one.configuration)}) for one in portfolio.configurations]
    portfolio = portfolio.model_copy(update={"configurations": tuple(today)})
    entries = fitting_first(portfolio, space)
    come = _different(entries, space)[: portfolio.first]
    remarks = notes(space, [one.configuration for one in (*entries[: portfolio.first], *(entry for entry, _ in come))])
    if not Known(space, portfolio):
        remarks.append("too few of all could have been drawn from this space to say what others are worth in it")
    if portfolio.nets is not None and not judged_on_such_nets(portfolio, space):
        remarks.append(f"they were judged with {', '.join(portfolio.nets.backbones)}, not {space.recipe()['backbone']}")
    queue = tuple(Proposal(configuration, origin) for _, configuration in come)
    counted = "1 configuration comes" if len(queue) == 1 else f"{len(queue)} configurations come"
    return Beginning(queue, portfolio, ("; ".join([f"{named}: {counted} before the sampler's", *remarks]) + ".",))


def _different(entries: Iterable[Entry], space: SearchSpace) -> list[tuple[Entry, dict[str, Any]]]:
    """Return entries with what they are in a space, less those that train there as the recipe or one before them does."""
    seen, kept = [effective(space.recipe())], list[tuple[Entry, dict[str, Any]]]()
    for entry in entries:
        nearest = within(space, entry.configuration)
        if (trains := effective(nearest)) not in seen:
            seen.append(trains)
            kept.append((entry, nearest))
    return kept


def enqueued(file: Path, space: SearchSpace) -> list[Proposal]:
    """Return the configurations of a YAML (or JSON) list of mappings from knobs to values.

    Raises:
        SpaceError: the file cannot be read, or an entry names what no trial has; names the entry.
    """
    listed = enumerate(read_list(file), 1)
    return [Proposal(_checked(entry, space, f"{file}: entry {number}"), ENQUEUED) for number, entry in listed]


def read_list(file: Path) -> list[dict[str, Any]]:
    """Return the mappings of a YAML (or JSON) list.

    Raises:
        SpaceError: the file cannot be read, or is no such list.
    """
    try:
        entries = load_yaml(read_text(file))
    except (OSError, OddFile, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpaceError(str(file), "", f"cannot be read ({str(error).splitlines()[0]}); name a YAML list") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SpaceError(str(file), "", "must be a list of mappings, such as '- {learning_rate: 1e-3, optimizer: sgd}'")
    return entries


def _checked(entry: Mapping[str, Any], space: SearchSpace, place: str) -> dict[str, Any]:
    knobs = train_config().model_fields
    for name, value in entry.items():
        if name not in knobs and name not in space.parameters:
            raise SpaceError(place, str(name), f"no such knob; {name_hint(name, [*knobs, *space.parameters])}")
        if name not in space.parameters and value != space.recipe()[name]:
            raise SpaceError(
                place, name, f"is {space.recipe()[name]!r} for all trials of this study (got {value!r}); leave it out"
            )
    try:
        whole = space.complete(entry)
        options = {name: value for name, value in whole.items() if name.startswith("optimizer_options")}
        return {**configured(whole).model_dump(include=set(space.recipe())), **options}
    except ValidationError as error:
        raise SpaceError(place, *explain(error)) from None
