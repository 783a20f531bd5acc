"""Write a trial's configuration as a space of its own: what it trains, nothing to search.

    python -m analysis.export_config results/age 14 --out winner.yaml
    python launch_search.py --space winner.yaml

The space has the study's data, task, folds and metric, every knob as a constant, and the trial's random numbers, so that on the
same images and machine it trains exactly that again, on all folds. The study's plugins are copied beside it.
"""
# PYTHON_ARGCOMPLETE_OK

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from analysis.reading.knobs import effective_knobs
from analysis.reading.opened import OpenedStudy, open_study
from command_line.commands import typed
from command_line.console import say, say_error
from command_line.parser import command_parser, parsed
from plugins.sources import copy_source, source_digest, sources_of
from storage.atomic import write_text
from studies.errors import StudyError
from studies.state.trial_state import TrialState


def main() -> int:
    """Write the space; return the exit code."""
    parser = command_parser(__doc__)
    parser.add_argument("study", type=Path, help="folder of the study, such as results/age")
    parser.add_argument("trial", type=int, help="its number")
    parser.add_argument_group("what is written").add_argument(
        "--out", type=Path, help="the file (default: STUDY-trial-NUMBER.yaml)"
    )
    arguments = parsed(parser)
    try:
        study = open_study(arguments.study)
        text = spelled_space(study, study.trial(arguments.trial))
        out = arguments.out or Path(f"{study.folder.name}-trial-{arguments.trial}.yaml")
        copied = list(plugins_copied(study, out.absolute().parent))
        write_text(out, text)
    except (ValueError, OSError) as error:
        say_error(error)
        return 2
    say(
        f"Trial {arguments.trial} of {study.folder.name} -> {out}",
        *(f"The plugin {path.stem} -> {path}" for path in copied),
        f"Next: {typed('search')} --space {shlex.quote(str(out))}",
    )
    return 0


def spelled_space(study: OpenedStudy, trial: TrialState) -> str:
    """Return the space of one trial as YAML."""
    said = f"# Trial {trial.number} of the study {study.folder.name}, by python -m analysis.export_config; nothing is searched.\n"
    return said + yaml.safe_dump(space_of(study, trial), sort_keys=False, allow_unicode=True)


def space_of(study: OpenedStudy, trial: TrialState) -> dict[str, Any]:
    """Return the sections of a space whose recipe is a trial's configuration."""
    whole = dict(trial.configuration)
    as_trial = trial.number if whole.get("as_trial") is None else whole["as_trial"]
    effective = effective_knobs({**whole, "as_trial": as_trial})
    plugins = {"plugins": list(study.space.plugins)} if study.space.plugins else {}
    return {
        **{"task": study.space.task, "data": study.space.data, **plugins, "metric": study.space.metric},
        **{"parameters": {}, "constants": effective},
        "search": {"trials": 1, "finalists": 1, "folds": study.space.search.folds, "portfolio": "none"},
    }


def plugins_copied(study: OpenedStudy, beside: Path) -> Iterator[Path]:
    """Copy the study's plugins to where a space names them from, and yield the copies; what is the same already stays.

    Raises:
        StudyError: another plugin of this name is there.
    """
    plugins = [study.study.kept_plugin(name) for name in study.space.plugins]
    for kept in plugins:
        for there in sources_of(kept.name, beside):
            if there.name != kept.path.name or source_digest(there) != kept.digest:
                raise StudyError(
                    f"{there}: is another plugin than the study's {kept.name}; --out in another folder keeps both"
                )
    for kept in plugins:
        if not sources_of(kept.name, beside):
            yield copy_source(kept, beside)


if __name__ == "__main__":
    sys.exit(main())
