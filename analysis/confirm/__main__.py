"""Train the winner of a study and its recipe again, with other seeds and splits: how much of the gain was luck?

    python -m analysis.confirm results/age              # both, on two other splits
    python -m analysis.confirm results/age --path       # and every step between them, a knob at a time

What is done is kept in confirm.jsonl of the study: it can be stopped and started again. The holdout has no part in it.
"""
# PYTHON_ARGCOMPLETE_OK

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import torch
from rich.progress import Progress

from analysis.confirm.contest import Contest, contest_of
from analysis.confirm.report import repeats_of, steps_table, verdict
from analysis.confirm.training import Again, Job, trained_again
from analysis.terminal.console import console, say, say_error
from command_line.parser import command_parser, parsed
from studies.study_folder import StudyError, StudyFolder
from trainables.config import configured
from trainables.training.devices import Resources


def main() -> int:
    """Run the command and return its exit code."""
    try:
        return confirm(_options())
    except (ValueError, OSError) as error:
        say_error(error)
        return 2


def confirm(options: argparse.Namespace) -> int:
    """Train what is missing and say what came out."""
    folder = StudyFolder(Path(options.study))
    folder.load_plugins()
    contest = contest_of(folder, path=options.path)
    done = train(folder, contest, options.repeats, options.workers)
    found = repeats_of(done, contest)
    console.print(steps_table(found, contest))
    say(*verdict(found, contest), style="bold")
    return 0


def train(folder: StudyFolder, contest: Contest, repeats: int, workers: int) -> list[Again]:
    """Return what every configuration scored in every repeat, those that are missing trained now."""
    kept = dict(_kept(folder, contest))
    wanted = [(name, repeat) for repeat in range(repeats) for name in contest.configurations]
    missing = [
        Job(folder.path, name, contest.configurations[name], repeat, contest.metric)
        for name, repeat in wanted
        if (name, repeat) not in kept
    ]
    resources = Resources(gpus=float(torch.cuda.is_available()))
    with Progress(console=console, transient=True) as bar, ProcessPoolExecutor(workers, get_context("spawn")) as pool:
        row = bar.add_task("training again", total=len(missing))
        for job, again in zip(missing, pool.map(partial(trained_again, resources=resources), missing), strict=True):
            _keep(folder, job, again)
            kept[again.name, again.repeat] = again
            bar.advance(row)
    return [kept[one] for one in wanted]


def _kept(folder: StudyFolder, contest: Contest) -> Iterator[tuple[tuple[str, int], Again]]:
    """Yield what an earlier run has trained; a torn last line is trained again."""
    digests = {name: configured(one).digest for name, one in contest.configurations.items()}
    for number, line in enumerate(_lines(folder), 1):
        try:
            row = json.loads(line)
            again = Again(row["name"], row["repeat"], row["score"], tuple(row["fold_scores"]))
            digest = row["digest"]
        except (ValueError, KeyError, TypeError):
            say(f"{_file(folder)}: line {number} is damaged and trained again", style="yellow")
            continue
        for name in (name for name, own in digests.items() if own == digest):
            yield (name, again.repeat), Again(name, again.repeat, again.score, again.fold_scores)


def _keep(folder: StudyFolder, job: Job, again: Again) -> None:
    row = {**asdict(again), "digest": configured(job.configuration).digest}
    with open(_file(folder), "a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(row))  # a line of its own also after one that was torn


def _lines(folder: StudyFolder) -> Sequence[str]:
    file = _file(folder)
    return [line for line in file.read_text(encoding="utf-8").splitlines() if line] if file.exists() else ()


def _file(folder: StudyFolder) -> Path:
    return folder.path / "confirm.jsonl"


def _options() -> argparse.Namespace:
    parser = command_parser(__doc__)
    parser.add_argument("study", help="folder of a study, such as results/age")
    parser.add_argument("--path", action="store_true", help="train every step between recipe and winner, too")
    parser.add_argument("--repeats", type=int, default=2, help="other seeds and splits (default: 2)")
    parser.add_argument("--workers", type=int, default=_workers(), help="trainings at a time (default: one a core)")
    options = parsed(parser)
    for name in ("repeats", "workers"):
        if getattr(options, name) < 1:
            raise StudyError(f"--{name} {getattr(options, name)}: must be at least 1")
    return options


def _workers() -> int:
    return 1 if torch.cuda.is_available() else len(os.sched_getaffinity(0))


if __name__ == "__main__":
    sys.exit(main())
