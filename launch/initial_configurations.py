"""Configurations that users bring: the best of another study, and a list of their own. They come before the sampler's."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from plugins.names import name_hint
from schedulers.disk.disk_budget import least_promising_first
from schedulers.samplers.ask import Proposal
from schedulers.search_settings import make_ladder
from search_spaces import SearchSpace
from search_spaces.errors import SpaceError, explain
from studies.record import read_record
from studies.study_folder import StudyError, StudyFolder
from studies.study_state import StudyState, TrialState
from trainables.config import configured, train_config

WARM_SHARE = 4  # one in so many trials may come from another study; the rest is for what is new


def warm_start(folder: StudyFolder, space: SearchSpace, classes: list[str]) -> tuple[list[Proposal], list[str]]:
    """Return the best configurations of another study in this space's terms, and notes on what was dropped.

    Raises:
        StudyError: there is no such study, it has no scores, or it is of the same task with other classes.
    """
    if not folder.exists():
        raise StudyError(f"--warm-start {folder.name}: {folder.path} holds no study; name one of {folder.path.parent}")
    folder.load_plugins()  # its strategy may be of one
    theirs, there = folder.stored_space(), folder.classes()
    if theirs.task == space.task and there != classes:
        raise StudyError(
            f"--warm-start {folder.name}: its task {theirs.task} has other classes ({', '.join(there)}) than this study's"
            f" ({', '.join(classes)}); start from a study of the same classes, or of another task"
        )
    study = StudyState(read_record(folder.record))
    promising = [trial for trial in reversed(least_promising_first(study, make_ladder(theirs))) if trial.epochs]
    if not any(trial.failure is None for trial in promising):
        raise StudyError(f"--warm-start {folder.name}: no trial of it has a score yet; let it run first")
    best = [trial for trial in promising if trial.failure is None][: max(1, space.search.trials // WARM_SHARE)]
    proposals = [Proposal(_in_terms_of(space, trial.configuration), folder.name) for trial in best]
    return proposals, list(_notes(folder, space, theirs, best))


def enqueued(file: Path, space: SearchSpace) -> list[Proposal]:
    """Return the configurations of a YAML (or JSON) list of mappings from knobs to values.

    Raises:
        SpaceError: the file cannot be read, or an entry names what no trial has; names the entry.
    """
    try:
        entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpaceError(str(file), "", f"cannot be read ({str(error).splitlines()[0]}); name a YAML list") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SpaceError(str(file), "", "must be a list of mappings, such as '- {learning_rate: 1e-3, optimizer: sgd}'")
    return [
        Proposal(_checked(entry, space, f"{file}: entry {number}"), "enqueued")
        for number, entry in enumerate(entries, 1)
    ]


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


def _in_terms_of(space: SearchSpace, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration of this space with those of another's values that it could have drawn, constants too."""
    return space.complete(
        {name: parameter_value for name, parameter_value in values.items() if _fits(space, name, parameter_value)}
    )


def _fits(space: SearchSpace, name: str, value: Any) -> bool:
    return name in space.parameters and space.parameters[name].contains(value)


def _notes(folder: StudyFolder, space: SearchSpace, theirs: SearchSpace, best: list[TrialState]) -> Iterator[str]:
    missing = sorted(theirs.parameters.keys() - space.parameters.keys())
    dropped = f"; dropped, as this space does not vary them: {', '.join(missing)}" if missing else ""
    yield f"Warm start: the best {len(best)} configurations of {folder.name} ({theirs.task}) come first{dropped}."
    outside = [
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for trial in best
        for name, value in theirs.active(trial.configuration).items()
        if name in space.parameters and not space.parameters[name].contains(value)
    ]
    if outside:
        yield f"Out of this space's ranges, so the recipe's values are taken: {', '.join(dict.fromkeys(outside))}."
