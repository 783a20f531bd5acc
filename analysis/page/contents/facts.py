"""What a study has come to in a few lines: status, trials, budget, time left, throughput and disk."""

import os
import shutil
import time
from pathlib import Path

from analysis.page.contents.watched import History, WatchedStudy
from analysis.reading.counts import count_trials
from analysis.reading.pace import share_saved, spell_left, throughput
from analysis.reading.words import counted
from search_spaces.durations import spell_duration
from search_spaces.sizes import spell_size

_SIZE_EVERY = 20.0  # seconds between two looks at the size of a folder


def status(study: WatchedStudy) -> tuple[str, str]:
    """Return a word, running, finished, paused, stopped or empty, and why in a sentence."""
    history = study.history
    if study.running:
        trials = counted(len(history.state.climbing()), "trial")
        return "running", f"{trials} training" if study.searching and history.state.trials else "the search is starting"
    if not history.state.trials:
        return "empty", "nothing was trained yet; the same launch command begins it"
    ending = history.state.ending
    if ending is not None and ending.outcome == "finished":
        return "finished", ending.reason
    if ending is not None and ending.outcome == "paused":
        return "paused", f"{ending.reason}; the same launch command goes on"
    return "stopped", "nothing is lost; the same launch command goes on"


def facts(study: WatchedStudy) -> list[tuple[str, str]]:
    """Return lines of a name and a value."""
    history, space = study.history, study.history.space
    counts = count_trials(history.state, history.facts)
    standing = ", ".join(f"{count} {place}" for place, count in vars(counts).items() if count)
    begun, most = len(history.state.trials), max(space.search.trials, len(history.state.trials))
    lines = [
        ("trials", f"{begun} of {most}{f': {standing}' if standing else ''}"),
        ("trained", f"{counted(history.state.fold_epochs, 'fold-epoch')}{_saved(history)}"),
        ("search time", _spent(study)),
    ]
    if study.searching:
        lines += [("time left", _left(study)), ("throughput", throughput(history.state, study.elapsed))]
    lines.append(("disk", _disk(study)))
    return lines


def _saved(history: History) -> str:
    share = share_saved(history.state, history.facts.rungs)
    return "" if share is None else f", {share:.0%} less than all folds of all trials"


def _left(study: WatchedStudy) -> str:
    found = study.seconds_left()
    return spell_left(None) if found is None else spell_left(*found)


def _spent(study: WatchedStudy) -> str:
    spent, budget = spell_duration(study.elapsed), study.history.space.search.time_budget
    return spent if budget is None else f"{spent} of {spell_duration(budget)}"


_sizes: dict[Path, tuple[float, int]] = {}  # of folders, and when they were looked at


def folder_size(path: Path) -> int:
    """Return the bytes of all files below a folder, looked up again after a while."""
    looked, size = _sizes.get(path, (-_SIZE_EVERY, 0))
    if time.monotonic() - looked >= _SIZE_EVERY:
        size = 0
        for folder, _, files in os.walk(path):
            for file in files:
                try:
                    size += os.lstat(os.path.join(folder, file)).st_size  # noqa: PTH118 - many files, and often
                except OSError:
                    continue  # gone since
        _sizes[path] = (time.monotonic(), size)
    return size


def _disk(study: WatchedStudy) -> str:
    budget, taken = study.history.space.search.disk_budget, study.history.state.bytes_dropped
    held = spell_size(folder_size(study.folder.path))
    of = f" of a budget of {spell_size(budget)}" if budget else ""
    free = spell_size(shutil.disk_usage(study.folder.path).free)
    return f"{held}{of}, {free} free{f'; {spell_size(taken)} were dropped' if taken else ''}"
