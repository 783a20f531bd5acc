"""Ask a search for something, from another terminal or before its next launch.

    python -m launch.control results/age stop                       # after the epochs that run
    python -m launch.control results/age stop-trial 14
    python -m launch.control results/age add mine.yaml              # a YAML list, such as - {learning_rate: 1e-3}
    python -m launch.control results/age budget --trials 60 --time-budget 2h

A search that runs takes a request up within an epoch; one that has ended takes it up at its next launch, a stop aside.
Everything that was taken up stands in the record. Budgets hold for one launch.
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import sys
from pathlib import Path
from typing import Any

from analysis.reading.opened import OpenedStudy, open_study
from command_line.commands import typed
from command_line.console import say, say_error
from command_line.parser import command_parser, parsed
from launch.initial_configurations import enqueued
from plugins.loading import load_plugin
from plugins.sources import named_plugin
from schedulers.budget_settings import BUDGETS, changed_space
from studies.errors import StudyError
from studies.record.requests import (
    AddConfigurations,
    ChangeBudget,
    Request,
    StopSearch,
    StopTrial,
    spell_request,
    write_request,
)
from studies.study import Study
from studies.study_lock import is_held, may_be_held


def main() -> int:
    """Write the request; return the exit code."""
    options = parse_options()
    try:
        study = open_study(options.study)
        for plugin in options.plugin:
            load_plugin(named_plugin(plugin))
        request = requested(study, options)
        write_request(study.folder.requests, request)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    when = "within an epoch" if is_held(study.folder.path) else "at its next launch"
    say(f"Asked: {spell_request(request)}. {study.folder.name} takes it up {when}.")
    return 0


def parse_options() -> argparse.Namespace:
    """Return the command line's options."""
    parser = command_parser(__doc__)
    parser.add_argument("study", type=Path, help="folder of the study, such as results/age")
    code = parser.add_argument_group("code of the study that may run")
    code.add_argument("--plugin", action="append", default=[], help="a plugin that the study needs, by its source")
    asked = parser.add_subparsers(dest="asked", required=True, metavar="REQUEST")
    asked.add_parser("stop", help="end the search once every running epoch is done")
    trial = asked.add_parser("stop-trial", help="take a trial out")
    trial.add_argument("trial", type=int, help="its number")
    added = asked.add_parser("add", help="try configurations before the sampler is asked again")
    added.add_argument("file", type=Path, help="a YAML list of mappings from knobs to values")
    example = f"{typed('control')} results/age budget --trials 60 --time-budget none"
    budget = asked.add_parser("budget", help="change budgets; 'none' takes one away", epilog=example)
    budgets = budget.add_argument_group("budgets, as launch_search.py takes them")
    for option, metavar, meaning in (
        ("--trials", "N", "how many configurations"),
        ("--time-budget", "TIME", "of search, such as 2h, over all launches"),
        ("--fold-epochs", "N", "of all trials together"),
        ("--target-score", "SCORE", "at which the search ends"),
        ("--worth", "RATE", "what an hour must be expected to gain"),
        ("--disk-budget", "SIZE", "of the study's folder, such as 2GB"),
    ):
        budgets.add_argument(option, metavar=metavar, help=meaning)
    return parsed(parser)


def requested(study: OpenedStudy, options: argparse.Namespace) -> Request:
    """Return the request of a command line, checked against the study.

    Raises:
        ValueError: there is no such trial, knob or budget, or it cannot be changed any more.
    """
    match options.asked:
        case "stop-trial":
            return _stop_trial(study, options.trial)
        case "add":
            Study.existing(study.folder).load_plugins()  # its knobs may be of one
            proposals = enqueued(options.file, study.space)
            return AddConfigurations(configurations=tuple(dict(one.configuration) for one in proposals))
        case "budget":
            return _budget(study, options)
    if not may_be_held(study.folder.path):
        raise StudyError(f"{study.folder.name}: is not being searched at this moment; there is nothing to stop")
    return StopSearch()


def _stop_trial(study: OpenedStudy, number: int) -> Request:
    trial = study.trial(number)
    if trial.failure is not None:
        raise StudyError(f"{study.folder.name}: trial {number} is out already ({trial.failure})")
    if trial.origin == "recipe":
        raise StudyError(
            f"{study.folder.name}: trial {number} is the recipe, which all others are compared with; let it run"
        )
    if study.rungs.top in trial.scores:
        raise StudyError(f"{study.folder.name}: trial {number} has finished; there is nothing to stop")
    return StopTrial(trial=number)


def _budget(study: OpenedStudy, options: argparse.Namespace) -> Request:
    stated = {name: value for name in BUDGETS if (value := getattr(options, name)) is not None}
    settings: dict[str, Any] = {name: None if value == "none" else value for name, value in stated.items()}
    if not settings:
        raise StudyError(f"name a budget, such as --trials 60; there are {', '.join(BUDGETS)}")
    request = ChangeBudget(settings=settings)
    Study.existing(study.folder).load_plugins()  # so may its strategy
    changed_space(study.space, request)
    return request


if __name__ == "__main__":
    sys.exit(main())
