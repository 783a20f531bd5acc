"""How a launch ends: why, the command that goes on, and the exit code."""

import argparse
import shlex
from collections.abc import Iterable, Mapping

from command_line.commands import typed
from launch.options import same_command
from launch.per_study import named
from launch.resolve import Say
from launch.signals import STOPPED
from schedulers.next_work import failed_setup
from schedulers.spending.plan import seconds_for_recipe
from schedulers.study_run import StudyRun
from search_spaces.durations import duration_option
from studies.state.failures import all_failed


def conclude(options: argparse.Namespace, runs: Mapping[str, StudyRun], splits: Mapping[str, str], say: Say) -> int:
    """Say of every study why its search ended, and what to type next; return 0 done, 1 nothing finished, 130 stopped.

    `splits` are the digests of the studies' splits: those with the same one are exported together.
    """
    alone, codes = len(runs) == 1, dict[str, int]()
    for name, run in runs.items():
        codes[name] = _ended(run, say if alone else named(say, name))
    finished = [name for name, code in codes.items() if code == 0]
    if STOPPED not in codes.values():
        results = "" if options.results == "results" else f" --results {shlex.quote(options.results)}"
        for together in grouped(finished, splits):
            studies = "" if alone else "".join(f" --study {shlex.quote(name)}" for name in together)
            say(f"Next: {typed('export')}{studies}{results}")
    return max(codes.values())


def grouped(names: Iterable[str], splits: Mapping[str, str]) -> list[list[str]]:
    """Return the studies that one export takes: those of the same splits."""
    groups = dict[str, list[str]]()
    for name in names:
        groups.setdefault(splits[name], []).append(name)
    return list(groups.values())


def _ended(run: StudyRun, say: Say) -> int:
    """Say why a search ended, and return the exit code of it alone."""
    again = same_command()
    if run.paused:
        say(f"Paused: {run.paused}. Nothing is lost. Once storage works and has room: {again}")
        return 1
    if run.stopping and run.finished in (None, "stopped"):
        say(f"Stopped. To continue: {again}")
        return STOPPED
    say(f"The search ended: {run.finished}.")
    if failed_setup(run.state) or run.state.mishaps.machine_fails:
        say(f"Mend it, then: {again}")
        return 1
    finished, top = most_finished_folds(run), run.strategy.rungs.top
    if failed := all_failed(run.state):
        say(f"{failed} Mend what is wrong, or change the space (--study NAME for a new study).")
        return 1
    if not finished:
        say(f"No fold is finished yet, so nothing can be exported. To go on: {same_command(*larger_budget(run))}")
        return 1
    if finished < top.folds:
        say(
            f"No trial has all {top.folds} folds yet; an export takes the folds that are there, {finished} of the furthest"
            f" trial. To train the others: {same_command(*larger_budget(run))}"
        )
    return 0


def most_finished_folds(run: StudyRun) -> int:
    """Return how many folds the furthest trial has finished, failed ones aside."""
    whole = run.strategy.rungs.top.epoch
    trials = [trial for trial in run.state.trials.values() if trial.failure is None]
    return max((list(trial.progress.values()).count(whole) for trial in trials), default=0)


def larger_budget(run: StudyRun) -> tuple[str, ...]:
    """Return the option and the value of a budget that is larger than the one that ended the search: budgets count all launches.

    It has room for the recipe on all folds, at the speed so far; nothing where no budget of time or fold-epochs was set.
    """
    budget = run.budget
    if budget.fold_epochs is not None and run.state.fold_epochs + 1 >= budget.fold_epochs:
        return "--fold-epochs", str(max(2 * budget.fold_epochs, run.strategy.rungs.whole))
    if budget.seconds is None:
        return ()
    spent = max(run.state.elapsed, budget.seconds)
    recipe = seconds_for_recipe(run.state, run.strategy, run.slots, run.strategy.folds)
    return "--time-budget", duration_option(max(2 * spent, recipe))
