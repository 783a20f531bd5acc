"""What a study has come to in a few lines: status, trials, budget, time left, throughput and disk."""

import os
import shutil
import time
from pathlib import Path

from analysis.page.contents.watched import History, WatchedStudy
from analysis.reading.counts import count_trials
from analysis.reading.pace import share_saved, spell_left, throughput
from analysis.reading.words import counted
from schedulers.next_work import Finished, next_work
from schedulers.search_settings import make_budget
from search_spaces.durations import spell_duration
from search_spaces.sizes import spell_size

_SIZE_EVERY = 20.0  # seconds between two looks at the size of a folder


def status(study: WatchedStudy) -> tuple[str, str]:
    """Return a word, running, finished, stopped or empty, and why in a sentence."""
    history = study.history
    if study.running:
        trials = counted(len(history.state.climbing()), "trial")
        return "running", f"{trials} training" if study.searching and history.state.trials else "the search is starting"
    if not history.state.trials:
        return "empty", "nothing was trained yet; the same launch command begins it"
    work = next_work(
        history.state,
        history.launch.ladder,
        make_budget(history.launch.space),
        history.launch.slots,
        history.state.last_time,
    )
    if isinstance(work, Finished):
        return "finished", work.reason
    return "stopped", "nothing is lost; the same launch command goes on"


def facts(study: WatchedStudy, now: float) -> list[tuple[str, str]]:
    """Return lines of a name and a value."""
    history, space = study.history, study.history.launch.space
    counts = count_trials(history.state, history.launch.ladder)
    standing = ", ".join(f"{count} {place}" for place, count in vars(counts).items() if count)
    begun, most = len(history.state.trials), max(space.search.trials, len(history.state.trials))
    lines = [
        ("trials", f"{begun} of {most}{f': {standing}' if standing else ''}"),
        ("trained", f"{counted(history.state.fold_epochs, 'fold-epoch')}{_saved(history)}"),
        ("search time", _spent(study, now)),
    ]
    if study.searching:
        lines += [("time left", _left(study, now)), ("throughput", throughput(history.state, now))]
    lines.append(("disk", _disk(study)))
    return lines


def _saved(history: History) -> str:
    share = share_saved(history.state, history.launch.ladder)
    return "" if share is None else f", {share:.0%} less than all folds of all trials"


def _left(study: WatchedStudy, now: float) -> str:
    found = study.seconds_left(now)
    return spell_left(None) if found is None else spell_left(*found)


def _spent(study: WatchedStudy, now: float) -> str:
    state, budget = study.history.state, make_budget(study.history.launch.space)
    spent = spell_duration(state.seconds_spent(now if study.searching else None))
    return spent if budget.seconds is None else f"{spent} of {spell_duration(budget.seconds)}"


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
    budget, taken = study.history.launch.space.search.disk_budget, study.history.state.bytes_dropped
    held = spell_size(folder_size(study.folder.path))
    of = f" of a budget of {spell_size(budget)}" if budget else ""
    free = spell_size(shutil.disk_usage(study.folder.path).free)
    return f"{held}{of}, {free} free{f'; {spell_size(taken)} were dropped' if taken else ''}"
