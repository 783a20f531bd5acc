"""How a launch ends: why, the command that goes on, and the exit code."""

import argparse

from launch.options import same_command
from launch.resolve import Say
from launch.signals import STOPPED
from schedulers.next_work import failed_setup
from schedulers.study_run import StudyRun


def conclude(options: argparse.Namespace, run: StudyRun, say: Say) -> int:
    """Say why the search ended and what to type next; return 0 done, 1 nothing finished, 130 stopped."""
    again = same_command()
    if run.paused:
        say(f"Paused: {run.paused}. Nothing is lost. Make room, then: {again}")
        return 1
    if run.stopping:
        say(f"Stopped. To continue: {again}")
        return STOPPED
    say(f"The search ended: {run.finished}.")
    if failed_setup(run.state):
        say(f"Mend it, then: {again}")
        return 1
    if not any(trial.fold_epochs >= run.ladder.top for trial in run.state.trials.values()):
        say(f"No trial has trained all folds yet. To go on: {again} --time-budget 1h")
        return 1
    say(f"Next: python export_best.py{'' if options.results == 'results' else f' --results {options.results}'}")
    return 0
