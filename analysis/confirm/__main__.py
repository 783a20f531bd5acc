"""Train the winner of a study and its recipe again, with other seeds and splits: how much of the gain was luck?

    python -m analysis.confirm results/age              # both, on two other splits
    python -m analysis.confirm results/age --path       # and every step between them, a knob at a time

What is done is kept in confirm.jsonl of the study: it can be stopped and started again. The holdout has no part in it.
"""
# PYTHON_ARGCOMPLETE_OK

import os
import sys

from analysis.confirm.options import parse_options

if __name__ == "__main__":
    parse_options(__doc__)  # completion, help and typing mistakes are answered before imports that take seconds

import argparse
from functools import partial
from pathlib import Path

import torch
from rich.progress import Progress

from analysis.confirm.contest import Contest, contest_of
from analysis.confirm.kept import keep, read_kept
from analysis.confirm.report import repeats_of, steps_table, verdict
from analysis.confirm.training import Again, Job, trained_again
from command_line.console import console, say, say_error
from command_line.worker_pool import worker_pool
from plugins.loading import load_plugin
from plugins.sources import named_plugin
from studies.study import Study
from studies.study_folder import StudyFolder
from trainables.training.devices import Resources


def main() -> int:
    """Run the command and return its exit code."""
    try:
        return confirm(parse_options(__doc__))
    except (ValueError, OSError) as error:
        say_error(error)
        return 2


def confirm(options: argparse.Namespace) -> int:
    """Train what is missing and say what came out."""
    folder = StudyFolder(Path(options.study))
    for plugin in options.plugin:
        load_plugin(named_plugin(plugin))
    Study.existing(folder).load_plugins()
    contest = contest_of(folder, path=options.path)
    done = train(folder, contest, options.repeats, options.workers or _workers())
    found = repeats_of(done, contest)
    console.print(steps_table(found, contest))
    say(*verdict(found, contest), style="bold")
    return 0


def train(folder: StudyFolder, contest: Contest, repeats: int, workers: int) -> list[Again]:
    """Return what every configuration scored in every repeat, those that are missing trained now."""
    kept = read_kept(folder, contest)
    wanted = [(name, repeat) for repeat in range(repeats) for name in contest.configurations]
    missing = [
        Job(
            folder.path,
            name,
            contest.configurations[name],
            repeat,
            contest.metric,
            contest.precision,
            contest.micro_batches,
        )
        for name, repeat in wanted
        if (name, repeat) not in kept
    ]
    cores = len(os.sched_getaffinity(0)) // workers  # those beside one load a GPU's batches
    resources = Resources(max(1, cores), float(torch.cuda.is_available()))
    with Progress(console=console, transient=True) as bar, worker_pool(workers) as pool:
        row = bar.add_task("training again", total=len(missing))
        for job, again in zip(missing, pool.map(partial(trained_again, resources=resources), missing), strict=True):
            keep(folder, job, again)
            kept[again.name, again.repeat] = again
            bar.advance(row)
    return [kept[one] for one in wanted]


def _workers() -> int:
    return 1 if torch.cuda.is_available() else len(os.sched_getaffinity(0))


if __name__ == "__main__":
    sys.exit(main())
